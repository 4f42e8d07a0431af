#include "signature/handshake.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/compare.h"
#include "crypto/digest.h"
#include "signature/form.h"

namespace grapnel::signature {
namespace {

model::HttpResponse answer(std::string_view type, std::string body) {
  return {.status = 200,
          .headers = {{"Content-Type", std::string(type)},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Cache-Control", "no-store"}},
          .body = std::move(body)};
}

/// What is repeated: one line of visible ASCII that needs no escape in JSON or HTML.
bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= kChallengeBytesMax &&
         std::ranges::all_of(text, [](char c) {
           return c > ' ' && c < 0x7f && std::string_view("\"\\<>&'").find(c) == std::string::npos;
         });
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= kDomainBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '*';
  });
}

bool equal_secret(std::string_view a, std::string_view b) {
  const auto first = crypto::sha256(a);
  const auto second = crypto::sha256(b);
  return crypto::equal_constant_time(crypto::as_text(first), crypto::as_text(second));
}

std::optional<model::HttpResponse> answer_zoom(const crypto::Secret& secret,
                                               const BodyLookup& look_up) {
  if (look_up("/event") != "endpoint.url_validation") return std::nullopt;
  const auto token = look_up("/payload/plainToken");
  if (!token || !is_plain(*token)) return std::nullopt;
  const auto mac = crypto::hmac_sha256(secret.reveal(), *token);
  return answer("application/json",
                fmt::format("{{\"plainToken\":\"{}\",\"encryptedToken\":\"{}\"}}\n", *token,
                            crypto::hex_encode(crypto::as_text(mac))));
}

std::optional<model::HttpResponse> answer_meta(const std::vector<crypto::Secret>& tokens,
                                               const model::HttpRequest& request) {
  const auto query = query_of(request.target);
  const auto mode = parameter(query, "hub.mode");
  const auto token = parameter(query, "hub.verify_token");
  const auto challenge = parameter(query, "hub.challenge");
  if (mode.size() != 1 || mode[0] != "subscribe" || token.size() != 1 || challenge.size() != 1) {
    return std::nullopt;
  }
  bool is_known = false;
  for (const auto& known : tokens) is_known |= equal_secret(known.reveal(), token[0]);
  if (!is_known || !is_plain(challenge[0])) return std::nullopt;
  return answer("text/plain; charset=utf-8", challenge[0]);
}

std::optional<model::HttpResponse> answer_cloudevents(const model::HttpRequest& request,
                                                      double per_minute) {
  const auto origin = model::find_header(request.headers, "WebHook-Request-Origin");
  if (!origin || !is_domain(*origin)) return std::nullopt;
  auto out = answer("text/plain; charset=utf-8", "");
  out.headers.push_back({"Allow", "POST, OPTIONS"});
  out.headers.push_back({"WebHook-Allowed-Origin", std::string(*origin)});
  out.headers.push_back({"WebHook-Allowed-Rate",
                         per_minute < 1 ? std::string("*") : fmt::format("{:.0f}", per_minute)});
  return out;
}

}  // namespace

std::string_view extra_method(Handshake handshake) {
  if (handshake == Handshake::meta) return "GET";
  return handshake == Handshake::cloudevents ? "OPTIONS" : "";
}

std::vector<std::string> handshake_pointers(Handshake handshake) {
  switch (handshake) {
    case Handshake::slack: return {"/type", "/challenge"};
    case Handshake::zoom: return {"/event", "/payload/plainToken"};
    case Handshake::discord: return {"/type"};
    default: return {};
  }
}

std::optional<model::HttpResponse> answer_verified(Handshake handshake,
                                                   const crypto::Secret& secret,
                                                   const BodyLookup& look_up) {
  switch (handshake) {
    case Handshake::slack: {
      if (look_up("/type") != "url_verification") return std::nullopt;
      const auto challenge = look_up("/challenge");
      if (!challenge || !is_plain(*challenge)) return std::nullopt;
      return answer("text/plain; charset=utf-8", *challenge);
    }
    case Handshake::zoom: return answer_zoom(secret, look_up);
    case Handshake::discord:
      if (look_up("/type") != "1") return std::nullopt;
      return answer("application/json", "{\"type\":1}\n");
    default: return std::nullopt;
  }
}

std::optional<model::HttpResponse> answer_unsigned(Handshake handshake,
                                                   const std::vector<crypto::Secret>& tokens,
                                                   const model::HttpRequest& request,
                                                   double per_minute) {
  if (request.method != extra_method(handshake)) return std::nullopt;
  if (handshake == Handshake::meta) return answer_meta(tokens, request);
  if (handshake == Handshake::cloudevents) return answer_cloudevents(request, per_minute);
  return std::nullopt;
}

}  // namespace grapnel::signature
