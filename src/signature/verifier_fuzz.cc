// Any request to any provider: the first byte picks the provider, the rest is a request. Whoever
// has no secret never verifies; what is signed here does.
#include "signature/verifier.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/check.h"
#include "signature/form.h"
#include "signature/handshake.h"
#include "signature/provider.h"

namespace {

using namespace grapnel;             // NOLINT(google-build-using-namespace)
using namespace grapnel::signature;  // NOLINT(google-build-using-namespace)

std::string secret_of(const Scheme& scheme) {
  switch (scheme.method) {
    case Method::standard: return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    case Method::ed25519: return "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
    case Method::basic: return "user:7c1f0b5e93a24d68";
    default: return "7c1f0b5e93a24d68";
  }
}

std::string_view next(std::string_view& rest) {
  const auto end = std::min(rest.find('\0'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// Parts at NUL bytes: target, the scheme's signature, time and id, a content type, the body.
model::HttpRequest request_of(const Scheme& scheme, std::string_view rest) {
  model::HttpRequest request{.method = "POST", .target = std::string(next(rest))};
  const std::array<std::string_view, 4> names{scheme.header, header_of(scheme.timestamp),
                                              header_of(scheme.id), "Content-Type"};
  for (const auto name : names) {
    const auto value = next(rest);
    if (!name.empty() && !value.empty()) {
      request.headers.push_back({std::string(name), std::string(value)});
    }
  }
  request.body = rest;
  return request;
}

void check_own_signature(const Verifier& verifier, model::HttpRequest request,
                         const Surroundings& around) {
  const Scheme& scheme = verifier.scheme();
  if (scheme.method != Method::hmac || !scheme.timestamp.empty() || verifier.signs_form()) return;
  const std::string url = url_of(request, around.public_url);
  const auto pieces = verifier.signed_pieces(request, {}, url, "");
  model::remove_header(request.headers, scheme.header);
  request.headers.push_back(
      {scheme.header, scheme.prefix + mac_text(scheme, verifier.secrets().front(), pieces)});
  GRAPNEL_CHECK(verifier.verify(request, around).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Provider& provider = providers()[data[0] % providers().size()];
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  Scheme scheme = provider.scheme;
  if (scheme.method == Method::certificate) return 0;  // it needs a bundle, and reads no request
  if (scheme.header.empty()) scheme.header = "X-Signature";
  const auto request = request_of(scheme, rest);
  const Surroundings around{
      .public_url = "https://example.com/hook",
      .now = Time{Millis{1'614'265'330'000}},
      .look_up = [](std::string_view) { return std::string("1614265330000"); },
      .before_piece = {}};
  std::vector<crypto::Secret> secrets;
  if (provider.origin != Origin::none) {
    secrets.emplace_back(std::string_view(secret_of(scheme)));
  }
  const auto verifier = Verifier::make(scheme, std::move(secrets));
  GRAPNEL_CHECK(verifier.has_value());
  GRAPNEL_CHECK(!verifier->verify(request, around).has_value());
  check_own_signature(*verifier, request, around);
  (void)answer_unsigned(scheme.handshake, verifier->secrets(), request, 1);
  (void)answer_verified(scheme.handshake, crypto::Secret(std::string_view("s")),
                        [&](std::string_view) { return std::string(rest.substr(0, 99)); });
  (void)parse_template(rest);
  (void)with_settings(scheme, {.header = std::string(rest), .prefix = std::string(rest)});
  return 0;
}
