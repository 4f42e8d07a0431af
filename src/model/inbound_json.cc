#include "model/inbound_json.h"

#include <fmt/format.h>

#include <array>

#include "base/hex.h"
#include "base/units.h"
#include "model/json_reader.h"
#include "model/limits.h"

namespace grapnel::model {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// The texts of VerifySettings by the names of their fields.
struct TextField {
  std::string_view name;
  std::optional<std::string> VerifySettings::* text;
};
constexpr std::array<TextField, 9> kTextFields{{
    {"header", &VerifySettings::header},
    {"algorithm", &VerifySettings::algorithm},
    {"encoding", &VerifySettings::encoding},
    {"prefix", &VerifySettings::prefix},
    {"signed", &VerifySettings::signed_text},
    {"timestamp", &VerifySettings::timestamp},
    {"timestamp_unit", &VerifySettings::timestamp_unit},
    {"id", &VerifySettings::id},
    {"handshake", &VerifySettings::handshake},
}};
constexpr std::array<std::string_view, 2> kUses{"signature", "handshake"};

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

/// Nothing: no pairs of digits.
std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::optional<VerifySettings> take_settings(ObjectReader& fields) {
  const value* given = fields.take("verify");
  if (!given) return std::nullopt;
  VerifySettings out;
  if (given->is_null()) return out;
  ObjectReader inner(*given, fields.path_of("verify"), fields.mistakes());
  for (const auto& field : kTextFields) {
    if (const auto* found =
            given->is_object() ? given->get_object().if_contains(field.name) : nullptr;
        found && found->is_null()) {
      inner.take(field.name);
      continue;
    }
    out.*field.text = inner.text(field.name, 0, kVerifyTextBytesMax);
  }
  out.ca_bundle = inner.text("ca_bundle", 1, kCaBundleBytesMax, Echo::kind);
  out.tolerance = inner.duration("tolerance", kVerifyToleranceMin, kVerifyToleranceMax);
  inner.finish();
  return out;
}

std::optional<std::string> take_provider(ObjectReader& fields) {
  const value* given = fields.take("provider");
  if (given && given->is_null()) return std::string();
  return fields.text("provider", 0, kNameBytesMax);
}

std::optional<int> take_quarantine(ObjectReader& fields) {
  const value* given = fields.take("quarantine");
  if (!given) return std::nullopt;
  if (given->is_bool()) return given->get_bool() ? kQuarantineDefault : 0;
  const auto count = fields.integer("quarantine", 0, kQuarantineMax);
  return count ? std::optional(static_cast<int>(*count)) : std::nullopt;
}

/// Values are never repeated in a mistake's sentence.
std::optional<std::vector<std::string>> take_secrets(ObjectReader& fields) {
  const value* given = fields.take("secrets");
  if (!given) return std::nullopt;
  const std::string path = fields.path_of("secrets");
  const array* list = given->if_array();
  if (!list || list->size() > kSigningSecretsMax) {
    fields.mistakes().add(
        path, fmt::format("expected a list of at most {} texts; it replaces all secrets that the "
                          "source has",
                          kSigningSecretsMax));
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const boost::json::string* text = (*list)[i].if_string();
    if (!text || text->empty() || text->size() > kInboundSecretBytesMax) {
      fields.mistakes().add(
          fmt::format("{}[{}]", path, i),
          fmt::format("expected a text of 1 to {} bytes", kInboundSecretBytesMax));
      continue;
    }
    out.emplace_back(*text);
  }
  return out;
}

object settings_object(const VerifySettings& settings) {
  object out;
  for (const auto& field : kTextFields) {
    if (settings.*field.text) out[field.name] = valid_utf8(*(settings.*field.text));
  }
  if (settings.ca_bundle) out["ca_bundle"] = valid_utf8(*settings.ca_bundle);
  if (settings.tolerance) out["tolerance"] = format_duration(*settings.tolerance);
  return out;
}

bool read_settings(const value& stored, VerifySettings& out) {
  const object* fields = stored.if_object();
  if (!fields) return false;
  for (const auto& field : kTextFields) {
    const value* found = fields->if_contains(field.name);
    if (!found) continue;
    if (!found->is_string()) return false;
    out.*field.text = std::string(found->get_string());
  }
  if (const value* found = fields->if_contains("ca_bundle")) {
    if (!found->is_string()) return false;
    out.ca_bundle = std::string(found->get_string());
  }
  if (const value* found = fields->if_contains("tolerance")) {
    const auto tolerance =
        found->is_string() ? parse_duration(found->get_string()) : Result<Millis>(Millis{0});
    if (!tolerance) return false;
    out.tolerance = *tolerance;
  }
  return true;
}

bool read_names(const object& fields, std::string_view name, std::vector<std::string>& out) {
  const value* found = fields.if_contains(name);
  if (!found) return true;
  if (!found->is_array()) return false;
  for (const auto& item : found->get_array()) {
    if (!item.is_string()) return false;
    out.emplace_back(item.get_string());
  }
  return true;
}

array names_array(const std::vector<std::string>& names) {
  array out;
  for (const auto& name : names) out.emplace_back(name);
  return out;
}

std::optional<InboundSecret> read_secret(const value& stored) {
  const object* fields = stored.if_object();
  if (!fields) return std::nullopt;
  const auto text = [&](std::string_view name) -> std::string_view {
    const value* found = fields->if_contains(name);
    return found && found->is_string() ? std::string_view(found->get_string()) : "";
  };
  InboundSecret out;
  auto sealed = from_hex(text("sealed"));
  const value* created = fields->if_contains("created");
  if (!sealed || sealed->empty() || !created || !created->is_int64()) return std::nullopt;
  out.sealed = std::move(*sealed);
  out.created = Time{Millis{created->get_int64()}};
  out.fingerprint = text("fingerprint");
  if (text("use") == kUses[1]) out.use = InboundSecret::Use::handshake;
  return out;
}

}  // namespace

InboundPatch take_inbound(ObjectReader& fields) {
  InboundPatch patch;
  patch.provider = take_provider(fields);
  patch.settings = take_settings(fields);
  patch.require_https = fields.boolean("require_https");
  patch.quarantine = take_quarantine(fields);
  patch.secrets = take_secrets(fields);
  patch.handshake_token = fields.text("handshake_token", 1, kSecretBytesMax, Echo::kind);
  return patch;
}

void apply(const InboundPatch& patch, Inbound& inbound) {
  if (patch.provider) inbound.provider = *patch.provider;
  if (patch.settings) inbound.settings = *patch.settings;
  if (patch.require_https) inbound.require_https = *patch.require_https;
  if (patch.quarantine) inbound.quarantine = *patch.quarantine;
}

void show_inbound(const Inbound& inbound, object& out) {
  out["provider"] = inbound.provider.empty() ? value(nullptr) : value(valid_utf8(inbound.provider));
  out["verify"] = settings_object(inbound.settings);
  out["require_https"] = inbound.require_https;
  out["quarantine"] = inbound.quarantine;
  array secrets;
  for (const auto& secret : inbound.secrets) {
    secrets.push_back({{"fingerprint", secret.fingerprint},
                       {"use", kUses.at(static_cast<std::size_t>(secret.use))},
                       {"created_at", to_rfc3339(secret.created)}});
  }
  out["secret_fingerprints"] = std::move(secrets);
}

object to_stored_object(const Inbound& inbound) {
  object out;
  out["provider"] = inbound.provider;
  out["settings"] = settings_object(inbound.settings);
  out["require_https"] = inbound.require_https;
  out["quarantine"] = inbound.quarantine;
  out["secret_headers"] = names_array(inbound.secret_headers);
  out["secret_query"] = names_array(inbound.secret_query);
  array secrets;
  for (const auto& secret : inbound.secrets) {
    secrets.push_back({{"sealed", to_hex(secret.sealed)},
                       {"created", secret.created.time_since_epoch().count()},
                       {"fingerprint", secret.fingerprint},
                       {"use", kUses.at(static_cast<std::size_t>(secret.use))}});
  }
  out["secrets"] = std::move(secrets);
  return out;
}

std::optional<Inbound> inbound_from_stored(const value& stored) {
  const object* fields = stored.if_object();
  if (!fields) return std::nullopt;
  Inbound out;
  if (const value* found = fields->if_contains("provider")) {
    if (!found->is_string()) return std::nullopt;
    out.provider = std::string(found->get_string());
  }
  if (const value* found = fields->if_contains("settings")) {
    if (!read_settings(*found, out.settings)) return std::nullopt;
  }
  if (const value* found = fields->if_contains("require_https")) {
    if (!found->is_bool()) return std::nullopt;
    out.require_https = found->get_bool();
  }
  if (const value* found = fields->if_contains("quarantine")) {
    if (!found->is_int64()) return std::nullopt;
    out.quarantine = static_cast<int>(found->get_int64());
  }
  if (!read_names(*fields, "secret_headers", out.secret_headers)) return std::nullopt;
  if (!read_names(*fields, "secret_query", out.secret_query)) return std::nullopt;
  if (const value* found = fields->if_contains("secrets")) {
    if (!found->is_array()) return std::nullopt;
    for (const auto& item : found->get_array()) {
      auto secret = read_secret(item);
      if (!secret) return std::nullopt;
      out.secrets.push_back(std::move(*secret));
    }
  }
  return out;
}

}  // namespace grapnel::model
