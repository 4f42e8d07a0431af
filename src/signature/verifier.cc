#include "signature/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/certificate.h"
#include "crypto/compare.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/hmac.h"
#include "signature/errors.h"
#include "signature/form.h"
#include "signature/provider.h"
#include "signature/standard_webhooks.h"

namespace grapnel::signature {
namespace {

using Outcome = std::expected<Verified, Rejected>;

std::unexpected<Rejected> reject(Rejection reason, std::string detail) {
  return std::unexpected(Rejected{reason, std::move(detail)});
}

/// The only value of a header. Nothing: absent or empty.
std::expected<std::optional<std::string_view>, Rejected> only_header(
    const model::HeaderList& headers, std::string_view name) {
  std::optional<std::string_view> found;
  for (const auto& header : headers) {
    if (!model::same_name(header.name, name)) continue;
    if (found) {
      return reject(Rejection::doubled_header, fmt::format("{} came more than once", name));
    }
    found = header.value;
  }
  if (found && found->empty()) found.reset();
  return found;
}

std::unexpected<Rejected> malformed(const Scheme& scheme, std::string_view expected) {
  return reject(Rejection::malformed_signature,
                fmt::format("{} is not {}", scheme.header, expected));
}

/// Characters of a signature in the scheme's encoding.
std::size_t signature_chars(const Scheme& scheme) {
  const std::size_t bytes = scheme.method == Method::ed25519 ? sizeof(crypto::Ed25519Signature)
                                                             : crypto::digest_bytes(scheme.hash);
  return scheme.encoding == Encoding::hex ? bytes * 2 : (bytes + 2) / 3 * 4;
}

std::string encode(Encoding encoding, std::string_view bytes) {
  return encoding == Encoding::hex ? crypto::hex_encode(bytes) : crypto::base64_encode(bytes);
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "t=1,v1=…,v1=…" (Stripe): the time, and the items that may match.
std::expected<void, Rejected> read_pairs(const Scheme& scheme, std::string_view value,
                                         Claim& claim) {
  const std::string_view item_name = std::string_view(scheme.timestamp).substr(5);  // "item:"
  std::size_t count = 0;
  bool has_time = false;
  while (!value.empty()) {
    const auto end = std::min(value.find(','), value.size());
    const std::string_view item = value.substr(0, end);
    value.remove_prefix(std::min(end + 1, value.size()));
    if (++count > kSignaturesMax) {
      return reject(Rejection::too_many_signatures,
                    fmt::format("{} has more than {} items", scheme.header, kSignaturesMax));
    }
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) return malformed(scheme, "a list of name=value");
    if (item.substr(0, equals) == item_name) {
      if (has_time) return malformed(scheme, "a list with one time");
      has_time = true;
      claim.timestamp = item.substr(equals + 1);
    } else if (item.starts_with(scheme.prefix)) {
      claim.signatures.emplace_back(item.substr(scheme.prefix.size()));
    }
  }
  if (!has_time) {
    return reject(Rejection::missing_timestamp,
                  fmt::format("{} has no item {}=", scheme.header, item_name));
  }
  if (claim.signatures.empty()) {
    return reject(Rejection::missing_signature,
                  fmt::format("{} has no item {}", scheme.header, scheme.prefix));
  }
  return {};
}

/// The credential of a token or basic scheme, without what stands before it.
std::expected<std::string, Rejected> read_token(const Scheme& scheme,
                                                const model::HttpRequest& request) {
  const auto value = only_header(request.headers, scheme.header);
  if (!value) return std::unexpected(value.error());
  if (*value) {
    const std::string_view prefix =
        scheme.method == Method::basic ? std::string_view("Basic ") : scheme.prefix;
    if ((*value)->size() <= prefix.size() ||
        !model::same_name((*value)->substr(0, prefix.size()), prefix)) {
      return malformed(scheme, fmt::format("\"{}\" and a credential", prefix));
    }
    return std::string((*value)->substr(prefix.size()));
  }
  if (!scheme.query.empty()) {
    auto values = parameter(query_of(request.target), scheme.query);
    if (values.size() > 1) {
      return reject(Rejection::doubled_header,
                    fmt::format("the parameter {} came more than once", scheme.query));
    }
    if (values.size() == 1 && !values[0].empty()) return std::move(values[0]);
  }
  return reject(Rejection::missing_signature, fmt::format("{} is missing", scheme.header));
}

Rejection reason_of(std::error_code code) {
  switch (static_cast<errc>(code.value())) {
    case errc::missing_header: return Rejection::missing_signature;
    case errc::bad_id: return Rejection::malformed_id;
    case errc::bad_timestamp: return Rejection::malformed_timestamp;
    case errc::too_old: return Rejection::too_old;
    case errc::too_new: return Rejection::too_new;
    case errc::too_many_signatures: return Rejection::too_many_signatures;
    case errc::no_known_version:
    case errc::malformed_signature: return Rejection::malformed_signature;
    case errc::no_key: return Rejection::no_secret;
    default: return Rejection::no_match;
  }
}

constexpr std::string_view kNoMatch =
    "no signature matches: another secret, or what was signed is not what came";

}  // namespace

std::string mac_text(const Scheme& scheme, const crypto::Secret& secret,
                     std::span<const std::string_view> pieces,
                     const std::function<void()>& before_piece) {
  crypto::HmacStream mac(scheme.hash, secret.reveal());
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      if (before_piece) before_piece();
      mac.add(piece.substr(0, kBodyPieceBytes));
      piece.remove_prefix(std::min(kBodyPieceBytes, piece.size()));
    }
  }
  return encode(scheme.encoding, mac.finish());
}

Result<Verifier> Verifier::make(Scheme scheme, std::vector<crypto::Secret> secrets) {
  std::vector<VerifyingKey> keys;
  for (const auto& secret : secrets) {
    if (auto good = check_secret(scheme, secret.reveal()); !good) return fail(good.error());
    if (scheme.method != Method::standard) continue;
    auto key = VerifyingKey::parse(secret.reveal());
    if (!key) return fail(key.error());
    keys.push_back(std::move(*key));
  }
  auto parts = parse_template(scheme.signed_text);
  if (!parts) return fail(parts.error());
  Verifier made(std::move(scheme), std::move(*parts), std::move(secrets), std::move(keys));
  if (made.scheme_.method != Method::certificate) return made;
  auto ca = crypto::CaBundle::parse(made.scheme_.ca_bundle);
  if (!ca) return fail(std::move(ca.error()));
  made.ca_ = std::move(*ca);
  return made;
}

bool Verifier::signs_form() const {
  return std::ranges::any_of(parts_,
                             [](const Part& part) { return part.kind == Part::Kind::form; });
}

std::expected<Claim, Rejected> Verifier::read(const model::HttpRequest& request,
                                              std::string_view public_url) const {
  Claim claim;
  if (scheme_.method == Method::token || scheme_.method == Method::basic) {
    auto token = read_token(scheme_, request);
    if (!token) return std::unexpected(std::move(token.error()));
    claim.signatures.push_back(std::move(*token));
    return claim;
  }
  const auto signature = only_header(request.headers, scheme_.header);
  if (!signature) return std::unexpected(signature.error());
  if (!*signature) {
    return reject(Rejection::missing_signature, fmt::format("{} is missing", scheme_.header));
  }
  if (const auto name = header_of(scheme_.id); !name.empty()) {
    const auto id = only_header(request.headers, name);
    if (!id) return std::unexpected(id.error());
    if (!*id) return reject(Rejection::missing_id, fmt::format("{} is missing", name));
    claim.id = **id;
  }
  if (const auto name = header_of(scheme_.timestamp); !name.empty()) {
    const auto time = only_header(request.headers, name);
    if (!time) return std::unexpected(time.error());
    if (!*time) return reject(Rejection::missing_timestamp, fmt::format("{} is missing", name));
    claim.timestamp = **time;
  }
  if (scheme_.listing == Listing::pairs) {
    if (auto good = read_pairs(scheme_, **signature, claim); !good) {
      return std::unexpected(std::move(good.error()));
    }
  } else {
    const bool has_prefix =
        scheme_.method == Method::standard || (*signature)->starts_with(scheme_.prefix);
    if (!has_prefix)
      return malformed(scheme_, fmt::format("\"{}\" and a signature", scheme_.prefix));
    const std::size_t cut = scheme_.method == Method::standard ? 0 : scheme_.prefix.size();
    claim.signatures.emplace_back((*signature)->substr(cut));
  }
  const std::string url = url_of(request, public_url);
  claim.urls = signs_form() ? with_and_without_port(url) : std::vector<std::string>{url};
  return claim;
}

std::expected<void, Rejected> Verifier::check_time(std::string_view timestamp, Time now) const {
  const bool is_seconds = scheme_.unit == TimeUnit::seconds;
  if (!is_digits(timestamp) ||
      timestamp.size() > (is_seconds ? kTimestampDigitsMax : kMillisDigitsMax)) {
    return reject(
        Rejection::malformed_timestamp,
        fmt::format("the timestamp is no number of {}", is_seconds ? "seconds" : "milliseconds"));
  }
  std::int64_t count = 0;
  std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), count);
  // Whole seconds where the sender counts so: exactly the tolerance still passes.
  const Millis given{is_seconds ? count * 1000 : count};
  const Millis clock =
      is_seconds ? Millis(std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()))
                 : Millis(now.time_since_epoch());
  const Millis age = clock - given;
  if (age > scheme_.tolerance) {
    return reject(Rejection::too_old,
                  fmt::format("the timestamp is {} s old; at most {} s are allowed",
                              age.count() / 1000, scheme_.tolerance.count() / 1000));
  }
  if (-age > scheme_.tolerance) {
    return reject(Rejection::too_new,
                  fmt::format("the timestamp is {} s ahead; at most {} s are allowed",
                              -age.count() / 1000, scheme_.tolerance.count() / 1000));
  }
  return {};
}

std::expected<std::string, Rejected> Verifier::form_of(const model::HttpRequest& request,
                                                       std::string_view url) const {
  // Only a parameter of the URL that is signed counts.
  const auto hashes = parameter(query_of(url), "bodySHA256");
  if (!hashes.empty()) {
    const std::string hash = crypto::hex_encode(crypto::as_text(crypto::sha256(request.body)));
    if (hashes.size() == 1 && crypto::equal_constant_time(hashes[0], hash)) return std::string();
    return reject(Rejection::no_match, "the body is not the one whose bodySHA256 the URL names");
  }
  const auto type = model::find_header(request.headers, "Content-Type").value_or("");
  std::string_view media = type.substr(0, type.find(';'));
  while (media.ends_with(' ')) media.remove_suffix(1);
  if (model::same_name(media, "application/x-www-form-urlencoded")) {
    auto form = sorted_form(request.body);
    if (!form) return reject(Rejection::no_match, "the form has too many parameters");
    return std::move(*form);
  }
  if (request.body.empty()) return std::string();
  return reject(Rejection::no_match,
                "the body is no form, and the URL that is signed has no bodySHA256");
}

std::vector<std::string_view> Verifier::signed_pieces(const model::HttpRequest& request,
                                                      const Claim& claim, std::string_view url,
                                                      std::string_view form) const {
  std::vector<std::string_view> out;
  for (const Part& part : parts_) {
    switch (part.kind) {
      case Part::Kind::literal: out.emplace_back(part.text); break;
      case Part::Kind::body: out.emplace_back(request.body); break;
      case Part::Kind::form: out.push_back(form); break;
      case Part::Kind::timestamp: out.emplace_back(claim.timestamp); break;
      case Part::Kind::id: out.emplace_back(claim.id); break;
      case Part::Kind::url: out.push_back(url); break;
    }
  }
  return out;
}

bool Verifier::matches(const crypto::Secret& secret, std::span<const std::string_view> pieces,
                       const Claim& claim, const std::function<void()>& before_piece) const {
  if (scheme_.method == Method::hmac) {
    const std::string expected = mac_text(scheme_, secret, pieces, before_piece);
    return std::ranges::any_of(claim.signatures, [&](const std::string& given) {
      return crypto::equal_constant_time(expected, given);
    });
  }
  const auto key_bytes = crypto::hex_decode(secret.reveal());
  const auto& given = claim.signatures.front();
  const auto bytes =
      scheme_.encoding == Encoding::hex ? crypto::hex_decode(given) : crypto::base64_decode(given);
  // Upper-case digits would make a second text of the same signature.
  if (!key_bytes || !bytes || encode(scheme_.encoding, *bytes) != given) return false;
  crypto::Ed25519PublicKey key;
  if (key_bytes->size() != key.size()) return false;
  std::ranges::copy(crypto::as_bytes(*key_bytes), key.begin());
  std::string message;
  for (const auto piece : pieces) message += piece;
  return crypto::ed25519_verify(key, message, *bytes);
}

Outcome Verifier::verify_token(const Claim& claim) const {
  std::string given = claim.signatures.front();
  if (scheme_.method == Method::basic) {
    auto pair = crypto::base64_decode(given);
    if (!pair) return malformed(scheme_, "\"Basic\" and base64");
    given = std::move(*pair);
  }
  // Of digests, so that not even the length is told.
  const auto digest = crypto::sha256(given);
  crypto::wipe(given);
  for (std::size_t i = 0; i < secrets_.size(); ++i) {
    const auto expected = crypto::sha256(secrets_[i].reveal());
    if (crypto::equal_constant_time(crypto::as_text(expected), crypto::as_text(digest))) {
      return Verified{i};
    }
  }
  return reject(Rejection::no_match,
                fmt::format("{} is none of the source's secrets", scheme_.header));
}

Outcome Verifier::verify_standard(const model::HttpRequest& request, const Claim& claim,
                                  Time now) const {
  const Envelope envelope{claim.id, claim.timestamp, claim.signatures.front()};
  Rejected why;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const auto good = signature::verify(std::span(keys_).subspan(i, 1), envelope, request.body, now,
                                        scheme_.tolerance);
    if (good) return Verified{i};
    why = {reason_of(good.error().code), good.error().message()};
    if (why.reason != Rejection::no_match) break;  // what the keys do not change
  }
  return std::unexpected(std::move(why));
}

Outcome Verifier::verify_signed(const model::HttpRequest& request, const Claim& claim,
                                const Surroundings& surroundings) const {
  if (scheme_.listing == Listing::one &&
      claim.signatures.front().size() != signature_chars(scheme_)) {
    return malformed(scheme_,
                     fmt::format("a signature of {} characters in {}", signature_chars(scheme_),
                                 scheme_.encoding == Encoding::hex ? "hex" : "base64"));
  }
  // What follows the id in the signed text would tell where it ends.
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    if (parts_[i].kind == Part::Kind::id && parts_[i + 1].kind == Part::Kind::literal &&
        claim.id.contains(parts_[i + 1].text)) {
      return reject(Rejection::malformed_id,
                    fmt::format("the id contains '{}', which ends it", parts_[i + 1].text));
    }
  }
  const bool time_is_in_body = scheme_.timestamp.starts_with('/');
  if (!scheme_.timestamp.empty() && !time_is_in_body) {
    if (auto good = check_time(claim.timestamp, surroundings.now); !good) {
      return std::unexpected(good.error());
    }
  }
  std::optional<Rejected> why;
  std::optional<Verified> found;
  for (const std::string& url : claim.urls) {
    std::string form;
    if (signs_form()) {
      auto text = form_of(request, url);
      if (!text) {
        why = std::move(text.error());
        continue;
      }
      form = std::move(*text);
    }
    const auto pieces = signed_pieces(request, claim, url, form);
    for (std::size_t i = 0; i < secrets_.size() && !found; ++i) {
      if (matches(secrets_[i], pieces, claim, surroundings.before_piece)) found = Verified{i};
    }
  }
  if (!found) {
    return why ? std::unexpected(*why) : reject(Rejection::no_match, std::string(kNoMatch));
  }
  if (!time_is_in_body) return *found;
  const auto time = surroundings.look_up ? surroundings.look_up(scheme_.timestamp) : std::nullopt;
  if (!time) {
    return reject(Rejection::missing_timestamp,
                  fmt::format("the body has no {}", scheme_.timestamp));
  }
  if (auto good = check_time(*time, surroundings.now); !good) {
    return std::unexpected(good.error());
  }
  return *found;
}

Outcome Verifier::verify(const model::HttpRequest& request,
                         const Surroundings& surroundings) const {
  if (scheme_.method == Method::none) return Verified{};
  if (scheme_.method == Method::certificate) {
    const auto good = ca_->verify(request.client_certificates, surroundings.now);
    if (good) return Verified{};
    return reject(Rejection::bad_certificate, good.error().message());
  }
  if (secrets_.empty()) {
    return reject(Rejection::no_secret, "the source has no secret to verify with");
  }
  const auto claim = read(request, surroundings.public_url);
  if (!claim) return std::unexpected(claim.error());
  switch (scheme_.method) {
    case Method::token:
    case Method::basic: return verify_token(*claim);
    case Method::standard: return verify_standard(request, *claim, surroundings.now);
    default: return verify_signed(request, *claim, surroundings);
  }
}

}  // namespace grapnel::signature
