#include "signature/body_hmac.h"

#include <fmt/format.h>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/compare.h"
#include "crypto/digest.h"
#include "signature/errors.h"

namespace grapnel::signature {
namespace {

constexpr std::string_view kPrefix = "sha256=";

}  // namespace

std::string sign_body(std::string_view secret_text, std::string_view body) {
  const crypto::Digest mac = crypto::hmac_sha256(secret_text, body);
  return std::string(kPrefix) + crypto::hex_encode(crypto::as_text(mac));
}

Result<> verify_body(std::string_view secret_text, std::string_view value, std::string_view body) {
  if (secret_text.empty()) return fail(errc::bad_key, "the signing secret is empty");
  if (value.empty())
    return fail(errc::missing_header, fmt::format("{} is missing", kBodyHmacHeader));
  const auto given = value.starts_with(kPrefix) ? crypto::hex_decode(value.substr(kPrefix.size()))
                                                : Result<std::string>("");
  if (!given || given->size() != sizeof(crypto::Digest)) {
    return fail(errc::malformed_signature,
                fmt::format("{} is not sha256= and 64 hexadecimal digits", kBodyHmacHeader));
  }
  const crypto::Digest mac = crypto::hmac_sha256(secret_text, body);
  if (!crypto::equal_constant_time(crypto::as_text(mac), *given)) return fail(errc::no_match);
  return {};
}

}  // namespace grapnel::signature
