#include "surface/api/auth.h"

#include <algorithm>
#include <array>

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

/// Whether the host that a request names cannot be a public name: an address, localhost, a name
/// without dots or of a private zone. A page of another site whose name was made to resolve to our
/// address (DNS rebinding) names that site here.
bool is_private_host(std::string_view host) {
  static constexpr std::array<std::string_view, 5> kZones{
      ".localhost", ".svc", ".svc.cluster.local", ".internal", ".local"};
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.rfind(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (!last.empty() && std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; })) {
    return true;
  }
  return !host.contains('.') || std::ranges::any_of(kZones, [host](std::string_view zone) {
    return host.size() > zone.size() &&
           model::same_name(host.substr(host.size() - zone.size()), zone);
  });
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
    if (!is_private_host(model::find_header(head.headers, "Host").value_or(""))) {
      return refuse(403, "foreign-host",
                    "without keys (api.auth: none) only requests to an address or a private name "
                    "are taken; turn keys on to serve the API under this name");
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
