// TLS contexts: what a server shows and whom a client trusts. TLS 1.2 and later only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace grapnel::http {

/// An SSL_CTX; opaque so that OpenSSL stays behind this room's .cc files.
class TlsContext;

/// Whether a server asks clients for a certificate that it does not check itself: whoever has
/// trusted CAs of its own (a source) does. That the client has the key is checked in any case.
enum class AskForCertificate : std::uint8_t { no, yes };

struct TlsFiles {
  std::string certificate;  ///< PEM file: the certificate and those that signed it
  std::string key;          ///< PEM file
  std::string client_ca;  ///< PEM file; if set, only clients with a certificate of these CAs get in
  AskForCertificate ask = AskForCertificate::no;
};

/// Error: bad_tls_files, naming the file.
Result<std::shared_ptr<const TlsContext>> load_server_tls(const TlsFiles& files);
/// Changes when one of the files was written or replaced (also behind a symbolic link, as
/// Kubernetes does).
std::string fingerprint(const TlsFiles& files);

/// Whom outgoing calls trust: the system's roots, or a bundle given with the call.
class TrustStores {
 public:
  /// `bundle` in PEM, null for the system's roots; compared by identity, so hand the same object
  /// in. Error: bad_tls_files.
  Result<std::shared_ptr<const TlsContext>> get(const std::shared_ptr<const std::string>& bundle);

 private:
  struct Prepared {
    std::shared_ptr<const std::string> bundle;  // keeps the identity from being used again
    std::shared_ptr<const TlsContext> context;
  };
  std::map<const std::string*, Prepared> prepared_;
};

}  // namespace grapnel::http
