#include "signature/standard_webhooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <vector>

#include "signature/errors.h"

namespace grapnel::signature {
namespace {

/// The entries of known versions, without their version.
struct Signatures {
  std::vector<std::string_view> v1;
  std::vector<std::string_view> v1a;
};

/// Errors: too_many_signatures, no_known_version.
Result<Signatures> signatures_of(std::string_view header) {
  Signatures out;
  std::size_t count = 0;
  while (!header.empty()) {
    const auto end = std::min(header.find(' '), header.size());
    const std::string_view entry = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    if (entry.empty()) continue;
    ++count;
    if (entry.starts_with("v1,")) out.v1.push_back(entry.substr(3));
    if (entry.starts_with("v1a,")) out.v1a.push_back(entry.substr(4));
    if (count > kSignaturesMax || out.v1a.size() > kAsymmetricSignaturesMax) {
      return fail(errc::too_many_signatures,
                  fmt::format("webhook-signature has more than {} entries, or more than {} of v1a",
                              kSignaturesMax, kAsymmetricSignaturesMax));
    }
  }
  if (out.v1.empty() && out.v1a.empty())
    return fail(errc::no_known_version, "webhook-signature has no v1 or v1a entry");
  return out;
}

/// Digits only: no sign, no fraction, no white space.
std::optional<std::int64_t> parse_seconds(std::string_view text) {
  if (text.empty() || text.size() > kTimestampDigitsMax ||
      text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

Result<> check_time(std::string_view timestamp, Time now, Millis tolerance) {
  const auto seconds = parse_seconds(timestamp);
  if (!seconds) return fail(errc::bad_timestamp);
  // Whole seconds, as the reference libraries count: exactly the tolerance still passes.
  const auto age = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()) -
                   std::chrono::seconds(*seconds);
  if (age > tolerance) {
    return fail(errc::too_old, fmt::format("webhook-timestamp is {} s old", age.count()));
  }
  if (-age > tolerance) {
    return fail(errc::too_new, fmt::format("webhook-timestamp is {} s ahead", -age.count()));
  }
  return {};
}

}  // namespace

std::string sign(std::span<const SigningKey* const> keys, std::string_view id,
                 std::int64_t timestamp_s, std::string_view body) {
  const std::string timestamp = std::to_string(timestamp_s);
  std::string out;
  for (const SigningKey* key : keys) {
    if (!out.empty()) out += ' ';
    out += key->sign(id, timestamp, body);
  }
  return out;
}

Envelope envelope_of(const model::HeaderList& headers) {
  return {.id = model::find_header(headers, kIdHeader).value_or(""),
          .timestamp = model::find_header(headers, kTimestampHeader).value_or(""),
          .signature = model::find_header(headers, kSignatureHeader).value_or("")};
}

Result<> verify(std::span<const VerifyingKey> keys, const Envelope& envelope, std::string_view body,
                Time now, Millis tolerance) {
  const std::pair<std::string_view, std::string_view> needed[] = {
      {kIdHeader, envelope.id},
      {kTimestampHeader, envelope.timestamp},
      {kSignatureHeader, envelope.signature}};
  for (const auto& [name, value] : needed) {
    if (value.empty()) return fail(errc::missing_header, fmt::format("{} is missing", name));
  }
  // "a" + "1" + "2.x" and "a.1" + "2" + "x" are the same signed text.
  if (envelope.id.contains('.')) return fail(errc::bad_id);
  if (auto good = check_time(envelope.timestamp, now, tolerance); !good) return good;
  const auto signatures = signatures_of(envelope.signature);
  if (!signatures) return fail(signatures.error());
  if (keys.empty()) return fail(errc::no_key);
  for (const VerifyingKey& key : keys) {
    const auto& given = key.version() == Version::v1 ? signatures->v1 : signatures->v1a;
    if (key.matches_any(envelope.id, envelope.timestamp, body, given)) return {};
  }
  return fail(errc::no_match);
}

}  // namespace grapnel::signature
