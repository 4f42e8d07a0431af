#include "crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>

#include "crypto/errors.h"

namespace grapnel::crypto {
namespace {

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<X509> read_der(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  return Owned<X509>(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
}

/// A store of the bundle's certificates; null where there is none, or a broken one.
Owned<X509_STORE> store_of(std::string_view pem) {
  Owned<BIO> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Owned<X509_STORE> store(X509_STORE_new());
  int count = 0;
  while (text && store) {
    Owned<X509> one(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
    if (!one) break;
    X509_STORE_add_cert(store.get(), one.get());
    ++count;
  }
  const auto last = ERR_peek_last_error();
  const bool is_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (count == 0 || !is_end) return nullptr;
  return store;
}

std::unexpected<Error> no_bundle() {
  return fail(errc::malformed, "expected PEM certificates (-----BEGIN CERTIFICATE-----)");
}

}  // namespace

Result<> check_ca_bundle(std::string_view pem) {
  if (!store_of(pem)) return no_bundle();
  return {};
}

Result<CaBundle> CaBundle::parse(std::string_view pem) {
  auto store = store_of(pem);
  if (!store) return no_bundle();
  return CaBundle(std::shared_ptr<X509_STORE>(store.release(), Free{}));
}

Result<> CaBundle::verify(std::span<const std::string> chain, Time now) const {
  if (chain.empty()) return fail(errc::untrusted, "the client showed no certificate");
  const auto own = read_der(chain.front());
  if (!own) return fail(errc::malformed, "the client's certificate cannot be read");
  Owned<STACK_OF(X509)> others(sk_X509_new_null());
  for (const auto& der : chain.subspan(1)) {
    if (auto one = read_der(der)) sk_X509_push(others.get(), one.release());
  }
  Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store_.get(), own.get(), others.get()) != 1) {
    ERR_clear_error();
    return fail(errc::untrusted, "the client's certificate cannot be checked");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT);
  X509_VERIFY_PARAM_set_time(
      parameters, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  const int verified = X509_verify_cert(context.get());
  const int verdict = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (verified == 1) return {};
  return fail(errc::untrusted, X509_verify_cert_error_string(verdict));
}

std::string subject_of(std::string_view certificate) {
  const auto own = read_der(certificate);
  Owned<BIO> text(BIO_new(BIO_s_mem()));
  if (!own || !text) return "";
  X509_NAME_print_ex(text.get(), X509_get_subject_name(own.get()), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long bytes = BIO_get_mem_data(text.get(), &data);
  return bytes > 0 ? std::string(data, static_cast<std::size_t>(bytes)) : "";
}

}  // namespace grapnel::crypto
