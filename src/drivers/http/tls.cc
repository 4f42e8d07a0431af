#include "drivers/http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <array>
#include <string_view>

#include "base/check.h"
#include "drivers/http/errors.h"
#include "drivers/http/limits.h"
#include "drivers/http/tls_context.h"

namespace grapnel::http {
namespace {

namespace ssl = boost::asio::ssl;

constexpr std::array<unsigned char, 9> kHttp11Protocol = {8,   'h', 't', 't', 'p',
                                                          '/', '1', '.', '1'};
constexpr std::string_view kSessionContext = "grapnel";

std::unexpected<Error> bad_files(std::string why) {
  ERR_clear_error();
  return fail(errc::bad_tls_files, std::move(why));
}

/// ALPN: HTTP/1.1 where the client offers it; others go on without.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_bytes,
                    const unsigned char* offered, unsigned int offered_bytes, void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_bytes, kHttp11Protocol.data(),
                                          kHttp11Protocol.size(), offered, offered_bytes);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/// Whose certificate it is says the source that it is shown to.
int take_any_certificate(int, X509_STORE_CTX*) { return 1; }

void harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

Result<> use_files(ssl::context& context, const TlsFiles& files) {
  boost::system::error_code error;
  context.use_certificate_chain_file(files.certificate, error);
  if (error) {
    return bad_files(fmt::format("certificate {}: {}", files.certificate, error.message()));
  }
  context.use_private_key_file(files.key, ssl::context::pem, error);
  if (error) return bad_files(fmt::format("key {}: {}", files.key, error.message()));
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return bad_files(
        fmt::format("key {} does not belong to certificate {}", files.key, files.certificate));
  }
  if (files.ask == AskForCertificate::yes || !files.client_ca.empty()) {
    // A resumed session brings the client's own certificate without those that signed it.
    SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context.native_handle(), 0);
  }
  if (files.client_ca.empty()) {
    if (files.ask == AskForCertificate::yes) {
      SSL_CTX_set_verify(context.native_handle(), SSL_VERIFY_PEER, take_any_certificate);
    }
    return {};
  }
  context.load_verify_file(files.client_ca, error);
  if (error) return bad_files(fmt::format("client CA {}: {}", files.client_ca, error.message()));
  SSL_CTX_set_client_CA_list(context.native_handle(),
                             SSL_load_client_CA_file(files.client_ca.c_str()));
  SSL_CTX_set_verify(context.native_handle(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     nullptr);
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> load_server_tls(const TlsFiles& files) {
  auto out = std::make_shared<TlsContext>(ssl::context::tls_server);
  SSL_CTX* context = out->context.native_handle();
  harden(context);
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
  SSL_CTX_set_session_id_context(context,
                                 reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 kSessionContext.size());
  if (auto used = use_files(out->context, files); !used) return std::unexpected(used.error());
  return out;
}

std::string fingerprint(const TlsFiles& files) {
  std::string out;
  for (const std::string* path : {&files.certificate, &files.key, &files.client_ca}) {
    if (path->empty()) continue;
    struct stat status{};
    if (stat(path->c_str(), &status) != 0) {
      out += "absent;";
      continue;
    }
    out += fmt::format("{}.{}.{}.{}.{};", status.st_dev, status.st_ino, status.st_size,
                       status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return out;
}

Result<std::shared_ptr<const TlsContext>> TrustStores::get(
    const std::shared_ptr<const std::string>& bundle) {
  if (const auto known = prepared_.find(bundle.get()); known != prepared_.end()) {
    return known->second.context;
  }
  auto out = std::make_shared<TlsContext>(ssl::context::tls_client);
  SSL_CTX* context = out->context.native_handle();
  harden(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // A bundle may name a CA that is signed by another one: then it is the end of the chain.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_alpn_protos(context, kHttp11Protocol.data(), kHttp11Protocol.size());
  boost::system::error_code error;
  if (bundle) {
    out->context.add_certificate_authority(boost::asio::buffer(*bundle), error);
    if (error ||
        sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context))) == 0) {
      return bad_files("the CA bundle holds no certificate in PEM form");
    }
  } else {
    out->context.set_default_verify_paths(error);
    if (error) return bad_files("the system's root certificates cannot be read");
  }
  // The oldest by address is as good a victim as any; connections in use keep their context.
  if (prepared_.size() >= kTrustStoresMax) prepared_.erase(std::prev(prepared_.end()));
  return prepared_.emplace(bundle.get(), Prepared{bundle, std::move(out)}).first->second.context;
}

}  // namespace grapnel::http
