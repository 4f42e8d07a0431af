#include "drivers/http/test_ca.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>

#include "base/check.h"

namespace grapnel::http {
namespace {

constexpr long kSecondsPerDay = 86'400;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long bytes = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(bytes));
  BIO_free(bio);
  return out;
}

std::string pem_of(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return text_of(bio);
}

std::string pem_of(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  GRAPNEL_CHECK(extension != nullptr, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* blank(EVP_PKEY* key, const char* common_name, int from_days, int to_days) {
  static std::atomic<long> serial = 1;
  X509* out = X509_new();
  X509_set_version(out, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out), serial++);
  X509_gmtime_adj(X509_getm_notBefore(out), from_days * kSecondsPerDay);
  X509_gmtime_adj(X509_getm_notAfter(out), to_days * kSecondsPerDay);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  X509_set_pubkey(out, key);
  return out;
}

}  // namespace

TestCa::TestCa() : key_(EVP_EC_gen("P-256")), certificate_(blank(key_.get(), "Test CA", -30, 30)) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  extend(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  pem_ = pem_of(certificate_.get());
}

TestCertificate TestCa::issue(const std::string& names, int from_days, int to_days) const {
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Free> out(blank(key.get(), "leaf", from_days, to_days));
  X509_set_issuer_name(out.get(), X509_get_subject_name(certificate_.get()));
  extend(out.get(), certificate_.get(), NID_subject_alt_name, names);
  X509_sign(out.get(), key_.get(), EVP_sha256());
  return {pem_of(out.get()), pem_of(key.get())};
}

}  // namespace grapnel::http
