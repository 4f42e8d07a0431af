// For tests: a certificate authority of their own, in memory.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace grapnel::http {

/// PEM texts.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

class TestCa {
 public:
  TestCa();

  /// `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". Valid from now + `from_days` to
  /// now + `to_days`.
  TestCertificate issue(const std::string& names, int from_days = -1, int to_days = 1) const;
  const std::string& pem() const { return pem_; }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
  std::string pem_;
};

}  // namespace grapnel::http
