#include "signature/scheme.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "crypto/certificate.h"
#include "model/headers.h"
#include "model/texts.h"
#include "signature/errors.h"

namespace grapnel::signature {
namespace {

constexpr std::string_view kHeader = "header:";
constexpr std::array<std::string_view, 6> kHandshakes{"none", "slack",   "zoom",
                                                      "meta", "discord", "cloudevents"};

constexpr std::array<std::pair<std::string_view, Part::Kind>, 5> kParts{{
    {"body", Part::Kind::body},
    {"form", Part::Kind::form},
    {"timestamp", Part::Kind::timestamp},
    {"id", Part::Kind::id},
    {"url", Part::Kind::url},
}};

std::unexpected<Error> wrong(std::string_view field, std::string_view sentence) {
  return fail(errc::bad_scheme, fmt::format("verify.{}: {}", field, sentence));
}

std::unexpected<Error> not_one_of(std::string_view field, std::string_view given,
                                  std::string_view known) {
  return wrong(field, fmt::format("expected one of {}, given \"{}\"", known, valid_utf8(given)));
}

bool is_signed(Method method) { return method == Method::hmac || method == Method::ed25519; }
bool has_header(Method method) {
  return is_signed(method) || method == Method::token || method == Method::basic;
}

/// Fields that the method does not read are refused: who sets them believes in a check.
Result<> check_fields(Method method, const model::VerifySettings& given) {
  const std::pair<std::string_view, bool> misplaced[] = {
      {"header", given.header && !has_header(method)},
      {"algorithm", given.algorithm && method != Method::hmac},
      {"encoding", given.encoding && !is_signed(method)},
      {"prefix", given.prefix && !is_signed(method) && method != Method::token},
      {"signed", given.signed_text && !is_signed(method)},
      {"timestamp", given.timestamp && !is_signed(method)},
      {"timestamp_unit", given.timestamp_unit && !is_signed(method)},
      {"id", given.id && !is_signed(method)},
      {"tolerance", given.tolerance && !is_signed(method) && method != Method::standard},
      {"ca_bundle", given.ca_bundle && method != Method::certificate},
  };
  for (const auto& [field, is_wrong] : misplaced) {
    if (is_wrong) return wrong(field, "the source's provider has no such setting");
  }
  return {};
}

Result<> set_texts(Scheme& scheme, const model::VerifySettings& given) {
  if (given.header) {
    if (!model::is_header_name(*given.header)) return wrong("header", "expected a header name");
    scheme.header = *given.header;
  }
  if (given.algorithm) {
    constexpr std::array<std::string_view, 3> kNames{"sha1", "sha256", "sha512"};
    const auto found = std::ranges::find(kNames, *given.algorithm);
    if (found == kNames.end()) {
      return not_one_of("algorithm", *given.algorithm, "sha1, sha256, sha512");
    }
    scheme.hash = static_cast<crypto::HashKind>(found - kNames.begin());
  }
  if (given.encoding) {
    if (*given.encoding != "hex" && *given.encoding != "base64") {
      return not_one_of("encoding", *given.encoding, "hex, base64");
    }
    scheme.encoding = *given.encoding == "hex" ? Encoding::hex : Encoding::base64;
  }
  if (given.prefix) scheme.prefix = *given.prefix;
  if (given.handshake) {
    const auto found = std::ranges::find(kHandshakes, *given.handshake);
    if (found == kHandshakes.end()) {
      return not_one_of("handshake", *given.handshake,
                        "none, slack, zoom, meta, discord, cloudevents");
    }
    scheme.handshake = static_cast<Handshake>(found - kHandshakes.begin());
  }
  if (given.ca_bundle) scheme.ca_bundle = *given.ca_bundle;
  return {};
}

Result<> set_time(Scheme& scheme, const model::VerifySettings& given) {
  if (given.timestamp && !given.timestamp->empty()) {
    const bool is_item = given.timestamp->starts_with("item:") && given.timestamp->size() > 5;
    if (const auto place = model::parse_place(*given.timestamp); !is_item && !place) {
      return wrong("timestamp", place.error().context);
    }
    // A list of pairs is what has items.
    scheme.listing = is_item ? Listing::pairs : Listing::one;
  }
  if (given.timestamp) scheme.timestamp = *given.timestamp;
  if (given.timestamp_unit) {
    if (*given.timestamp_unit != "s" && *given.timestamp_unit != "ms") {
      return not_one_of("timestamp_unit", *given.timestamp_unit, "s, ms");
    }
    scheme.unit = *given.timestamp_unit == "s" ? TimeUnit::seconds : TimeUnit::millis;
  }
  if (given.tolerance) scheme.tolerance = *given.tolerance;
  if (given.id && !given.id->empty() && !model::is_header_name(header_of(*given.id))) {
    return wrong("id", "expected header:Name");
  }
  if (given.id) scheme.id = *given.id;
  return {};
}

Result<> check_template(const Scheme& scheme) {
  if (!is_signed(scheme.method)) return {};
  const auto parts = parse_template(scheme.signed_text);
  if (!parts) return wrong("signed", parts.error().context);
  const auto has = [&](Part::Kind kind) {
    return std::ranges::any_of(*parts, [kind](const Part& part) { return part.kind == kind; });
  };
  if (has(Part::Kind::timestamp) && scheme.timestamp.empty()) {
    return wrong("timestamp", "is required: the signed text contains {timestamp}");
  }
  if (has(Part::Kind::id) && scheme.id.empty()) {
    return wrong("id", "is required: the signed text contains {id}");
  }
  // A time that is not signed protects nothing; one inside the body is signed with it.
  if (!scheme.timestamp.empty() && !scheme.timestamp.starts_with('/') &&
      !has(Part::Kind::timestamp)) {
    return wrong("signed", "expected {timestamp}: a time that is not signed can be replaced");
  }
  return {};
}

}  // namespace

std::string_view to_text(Handshake handshake) {
  return kHandshakes.at(static_cast<std::size_t>(handshake));
}

std::string_view header_of(std::string_view place) {
  return place.starts_with(kHeader) ? place.substr(kHeader.size()) : std::string_view();
}

Result<std::vector<Part>> parse_template(std::string_view text) {
  std::vector<Part> parts;
  int bodies = 0;
  while (!text.empty()) {
    const auto open = text.find('{');
    if (open != 0) {
      parts.push_back({Part::Kind::literal, std::string(text.substr(0, open))});
      text.remove_prefix(std::min(open, text.size()));
      continue;
    }
    const auto close = text.find('}');
    const auto name = close == std::string_view::npos ? "" : text.substr(1, close - 1);
    const auto found = std::ranges::find(kParts, name, &decltype(kParts)::value_type::first);
    if (found == kParts.end()) {
      return fail(errc::bad_scheme,
                  "expected a text with {body}, {form}, {timestamp}, {id} or {url} in it");
    }
    bodies += found->second == Part::Kind::body || found->second == Part::Kind::form ? 1 : 0;
    parts.push_back({found->second, {}});
    text.remove_prefix(close + 1);
  }
  if (bodies != 1 || parts.size() > kTemplatePartsMax) {
    return fail(errc::bad_scheme,
                fmt::format("expected one {{body}} (or {{form}}) among at most {} parts",
                            kTemplatePartsMax));
  }
  // Nothing between two parts of any length: where one ends and the next begins could be moved.
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto is_open = [](Part::Kind kind) {
      return kind == Part::Kind::id || kind == Part::Kind::body;
    };
    if (is_open(parts[i].kind) && is_open(parts[i + 1].kind)) {
      return fail(errc::bad_scheme, "expected a text such as '.' between {id} and {body}");
    }
  }
  return parts;
}

Result<Scheme> with_settings(Scheme scheme, const model::VerifySettings& settings) {
  if (auto good = check_fields(scheme.method, settings); !good) return fail(good.error());
  if (auto good = set_texts(scheme, settings); !good) return fail(good.error());
  if (auto good = set_time(scheme, settings); !good) return fail(good.error());
  if (settings.signed_text) scheme.signed_text = *settings.signed_text;
  if (auto good = check_template(scheme); !good) return fail(good.error());
  if (has_header(scheme.method) && scheme.header.empty()) {
    return wrong("header", "is required: where the signature is");
  }
  if (scheme.method == Method::certificate && scheme.ca_bundle.empty()) {
    return wrong("ca_bundle", "is required: PEM certificates of who signs the clients'");
  }
  if (scheme.method == Method::certificate) {
    if (const auto good = crypto::check_ca_bundle(scheme.ca_bundle); !good) {
      return wrong("ca_bundle", good.error().message());
    }
  }
  return scheme;
}

}  // namespace grapnel::signature
