#include "surface/api/auth.h"

#include <algorithm>

#include "crypto/compare.h"
#include "crypto/token.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

std::unexpected<model::HttpResponse> unauthorized(std::string_view error, std::string detail) {
  auto answer = to_answer(Problem{401, "unauthorized", std::move(detail), {}});
  std::string challenge = "Bearer realm=\"grapnel\"";  // RFC 6750 section 3
  if (!error.empty()) {
    challenge += ", error=\"";
    challenge += error;
    challenge += '"';
  }
  answer.headers.push_back({"WWW-Authenticate", std::move(challenge)});
  return std::unexpected(std::move(answer));
}

/// Whether `origin` ("http://host:port") names the host that the request was sent to.
bool is_origin_of(std::string_view origin, std::string_view host) {
  const auto scheme = origin.find("://");
  return scheme != std::string_view::npos && model::same_name(origin.substr(scheme + 3), host);
}

/// Browsers say where a request comes from, and pages cannot forge it: Fetch Metadata on
/// trustworthy addresses, Origin with every changing request of another page.
bool is_from_foreign_page(const model::HttpRequest& head) {
  if (head.method == "GET" || head.method == "HEAD") return false;
  const auto site = model::find_header(head.headers, "Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none") return true;
  const auto origin = model::find_header(head.headers, "Origin");
  return origin && !is_origin_of(*origin, model::find_header(head.headers, "Host").value_or(""));
}

}  // namespace

bool Caller::sees(model::SourceId source) const {
  return sources.empty() || std::ranges::find(sources, source) != sources.end();
}

std::optional<std::string_view> key_of(const model::HttpRequest& head) {
  static constexpr std::string_view kBearer = "Bearer ";
  if (const auto value = model::find_header(head.headers, "Authorization")) {
    if (value->size() > kBearer.size() &&
        model::same_name(value->substr(0, kBearer.size()), kBearer)) {
      auto token = value->substr(kBearer.size());
      while (token.starts_with(' ')) token.remove_prefix(1);
      return token;
    }
  }
  return model::find_header(head.headers, "X-Api-Key");
}

Answer<Caller> authenticate(const AuthOptions& options, const model::RegistrySnapshot& snapshot,
                            const model::HttpRequest& head, Time now) {
  if (options.mode == AuthMode::none) {
    if (is_from_foreign_page(head)) {
      return refuse(403, "foreign-page", "requests from pages of other sites are not taken");
    }
    return Caller{};
  }
  const auto token = key_of(head);
  if (!token || token->empty()) {
    return unauthorized("", "an API key is required: send 'Authorization: Bearer gk_…'");
  }
  const char* const wrong = "the API key is not known here, or has expired";
  if (token->size() > kTokenBytesMax) return unauthorized("invalid_token", wrong);
  const std::string hash = crypto::token_hash(*token);
  if (!options.environment_key_hash.empty() &&
      crypto::equal_constant_time(hash, options.environment_key_hash)) {
    return Caller{};
  }
  // A hash reveals nothing by the time its look-up takes; the comparison is constant all the same.
  const auto id = snapshot.key_hashes.find(hash);
  if (id == snapshot.key_hashes.end()) return unauthorized("invalid_token", wrong);
  const auto key = snapshot.keys.find(id->second);
  if (key == snapshot.keys.end() || !crypto::equal_constant_time(key->second.hash, hash) ||
      (key->second.expires && *key->second.expires <= now)) {
    return unauthorized("invalid_token", wrong);
  }
  return Caller{key->second.scope, key->second.sources, key->second.id};
}

}  // namespace grapnel::api
