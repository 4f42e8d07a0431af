#include "signature/explain.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/units.h"
#include "base/utf8.h"
#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/compare.h"
#include "crypto/digest.h"
#include "signature/form.h"
#include "signature/standard_webhooks.h"

namespace grapnel::signature {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::array<std::string_view, 7> kMethods{"none",  "hmac",     "ed25519",    "token",
                                                   "basic", "standard", "certificate"};
constexpr std::array<std::string_view, 3> kHashes{"sha1", "sha256", "sha512"};

bool is_credential(Method method) { return method == Method::token || method == Method::basic; }

/// Enough to see which it is.
std::string beginning(std::string_view text) {
  return fmt::format("{}… ({} characters)", valid_utf8(text.substr(0, kShownCharacters)),
                     text.size());
}

std::string sha256_hex(std::string_view text) {
  return crypto::hex_encode(crypto::as_text(crypto::sha256(text)));
}

array headers_seen(const Scheme& scheme, const model::HttpRequest& request) {
  array out;
  for (const std::string_view name :
       {std::string_view(scheme.header), header_of(scheme.timestamp), header_of(scheme.id)}) {
    if (name.empty()) continue;
    array values;
    for (const auto& header : request.headers) {
      if (!model::same_name(header.name, name)) continue;
      const bool is_shown = name != scheme.header;
      values.emplace_back(is_shown ? valid_utf8(header.value)
                          : is_credential(scheme.method)
                              ? fmt::format("({} characters)", header.value.size())
                              : beginning(header.value));
    }
    out.push_back({{"name", name}, {"values", std::move(values)}});
  }
  return out;
}

object part_of(std::string_view name, std::string_view text) {
  object out{{"part", name}, {"bytes", text.size()}};
  if (text.size() <= kShownPartBytes && name != "body" && name != "form") {
    out["text"] = valid_utf8(text);
  } else {
    out["sha256"] = sha256_hex(text);
  }
  return out;
}

std::string_view name_of(Part::Kind kind) {
  switch (kind) {
    case Part::Kind::literal: return "literal";
    case Part::Kind::body: return "body";
    case Part::Kind::form: return "form";
    case Part::Kind::timestamp: return "timestamp";
    case Part::Kind::id: return "id";
    case Part::Kind::url: return "url";
  }
  return "";
}

object signed_text(const std::vector<Part>& parts, std::span<const std::string_view> pieces) {
  array shown;
  std::string whole;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    shown.push_back(part_of(name_of(parts[i].kind), pieces[i]));
    whole += pieces[i];
  }
  return {{"parts", std::move(shown)}, {"bytes", whole.size()}, {"sha256", sha256_hex(whole)}};
}

/// The template of Standard Webhooks, which the verifier does not read from the scheme.
std::string template_of(const Scheme& scheme) {
  return scheme.method == Method::standard ? "{id}.{timestamp}.{body}" : scheme.signed_text;
}

void add_signed(const Verifier& verifier, const model::HttpRequest& request, const Claim& claim,
                const std::vector<std::string>& names, object& out) {
  const Scheme& scheme = verifier.scheme();
  auto parts = parse_template(template_of(scheme));
  if (!parts || claim.urls.empty()) return;
  array shown;
  for (const auto& signature : claim.signatures) shown.emplace_back(beginning(signature));
  out["signatures"] = std::move(shown);
  const std::string& url = claim.urls.front();
  std::string form;
  if (verifier.signs_form()) {
    auto text = verifier.form_of(request, url);
    if (!text) return;
    form = std::move(*text);
  }
  std::vector<std::string_view> pieces;
  if (scheme.method == Method::standard) {
    pieces = {claim.id, ".", claim.timestamp, ".", request.body};
  } else {
    pieces = verifier.signed_pieces(request, claim, url, form);
  }
  out["signed"] = signed_text(*parts, pieces);
  array secrets;
  for (std::size_t i = 0; i < verifier.secrets().size() && scheme.method == Method::hmac; ++i) {
    const std::string mac = mac_text(scheme, verifier.secrets()[i], pieces);
    const bool matches = std::ranges::any_of(claim.signatures, [&](const std::string& given) {
      return crypto::equal_constant_time(mac, given);
    });
    secrets.push_back({{"secret", i < names.size() ? names[i] : fmt::format("{}", i + 1)},
                       {"signature_begins", mac.substr(0, kShownCharacters)},
                       {"matches", matches}});
  }
  if (!secrets.empty()) out["secrets"] = std::move(secrets);
}

void add_time(const Verifier& verifier, const Claim& claim, Time now, object& out) {
  if (claim.timestamp.empty()) return;
  const auto good = verifier.check_time(claim.timestamp, now);
  out["timestamp"] = {{"given", valid_utf8(claim.timestamp.substr(0, kShownPartBytes))},
                      {"checked_at", to_rfc3339(now)},
                      {"tolerance", format_duration(verifier.scheme().tolerance)},
                      {"good", good.has_value()},
                      {"detail", good ? "" : good.error().detail}};
}

}  // namespace

object show_scheme(const Scheme& scheme) {
  object out{{"method", kMethods.at(static_cast<std::size_t>(scheme.method))}};
  if (!scheme.header.empty()) out["header"] = scheme.header;
  if (!scheme.prefix.empty()) out["prefix"] = scheme.prefix;
  if (scheme.method == Method::hmac) {
    out["algorithm"] = kHashes.at(static_cast<std::size_t>(scheme.hash));
    out["encoding"] = scheme.encoding == Encoding::hex ? "hex" : "base64";
  }
  const bool is_signed = scheme.method == Method::hmac || scheme.method == Method::ed25519 ||
                         scheme.method == Method::standard;
  if (is_signed) out["signed"] = template_of(scheme);
  if (!scheme.timestamp.empty()) {
    out["timestamp"] = scheme.timestamp;
    out["tolerance"] = format_duration(scheme.tolerance);
  }
  if (scheme.handshake != Handshake::none) out["handshake"] = to_text(scheme.handshake);
  return out;
}

object explain(const Verifier& verifier, const model::HttpRequest& request,
               const Surroundings& surroundings, const std::vector<std::string>& secret_names) {
  const auto outcome = verifier.verify(request, surroundings);
  object out{{"verified", outcome.has_value()},
             {"reason", outcome ? "" : to_text(outcome.error().reason)},
             {"detail", outcome ? std::string() : valid_utf8(outcome.error().detail)}};
  if (outcome && outcome->secret < secret_names.size()) {
    out["matching_secret"] = secret_names[outcome->secret];
  }
  const Scheme& scheme = verifier.scheme();
  out["scheme"] = show_scheme(scheme);
  if (scheme.method == Method::none || scheme.method == Method::certificate) return out;
  out["headers"] = headers_seen(scheme, request);
  out["body"] = {{"bytes", request.body.size()}, {"sha256", sha256_hex(request.body)}};
  const auto claim = verifier.read(request, surroundings.public_url);
  if (!claim) return out;
  if (!is_credential(scheme.method)) add_signed(verifier, request, *claim, secret_names, out);
  Claim timed = *claim;
  if (scheme.timestamp.starts_with('/') && surroundings.look_up) {
    timed.timestamp = surroundings.look_up(scheme.timestamp).value_or("");
  }
  add_time(verifier, timed, surroundings.now, out);
  return out;
}

}  // namespace grapnel::signature
