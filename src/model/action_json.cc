#include "model/action_json.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/units.h"
#include "model/errors.h"
#include "model/json_reader.h"
#include "model/limits.h"
#include "model/script_json.h"
#include "model/source_json.h"
#include "model/texts.h"
#include "model/transform.h"

namespace grapnel::model {
namespace {

constexpr std::array kActionTypes{kWebhook, kJavascript};
constexpr std::string_view kCutMark = "… (cut)";
constexpr std::string_view kPemStart = "-----BEGIN CERTIFICATE-----";

boost::json::value headers_json(const Action& action) {
  boost::json::object object;
  boost::json::array list;
  for (const auto& header : action.headers) {
    const std::string value =
        hides_header(action, header.name) ? cut_header_value(header) : valid_utf8(header.value);
    object[header.name] = value;
    list.push_back({{"name", header.name}, {"value", value}});
  }
  if (object.size() == action.headers.size()) return object;
  return list;
}

boost::json::value forward_json(const ForwardHeaders& forward) {
  if (forward.kind == ForwardHeaders::Kind::all) return "all";
  if (forward.kind == ForwardHeaders::Kind::none) return "none";
  boost::json::array names;
  for (const auto& name : forward.names) names.emplace_back(name);
  return names;
}

boost::json::array secrets_json(const std::vector<SigningSecret>& secrets) {
  boost::json::array out;
  for (const auto& secret : secrets) {
    const auto time_or_null = [](const std::optional<Time>& time) -> boost::json::value {
      if (!time) return nullptr;
      return boost::json::value(to_rfc3339(*time));
    };
    out.push_back({{"created_at", to_rfc3339(secret.created)},
                   {"expires_at", time_or_null(secret.expires)},
                   {"primary_from", time_or_null(secret.primary_from)}});
  }
  return out;
}

std::optional<Header> read_header(const boost::json::value& name, const boost::json::value& value,
                                  const std::string& path, Mistakes& mistakes) {
  const boost::json::string* name_text = name.if_string();
  if (!name_text || name_text->size() > kNameBytesMax || !is_header_name(*name_text)) {
    mistakes.add(path, fmt::format("expected a header name, given {}", describe_given(name)));
    return std::nullopt;
  }
  if (is_hop_by_hop(*name_text) || same_name(*name_text, "Host") ||
      same_name(*name_text, "Content-Length")) {
    mistakes.add(path, "is a header that every connection sets for itself; leave it out");
    return std::nullopt;
  }
  const boost::json::string* value_text = value.if_string();
  if (!value_text || value_text->size() > kHeaderBytesMax || !is_header_value(*value_text)) {
    mistakes.add(path,
                 fmt::format("expected a text on one line of at most {} bytes", kHeaderBytesMax));
    return std::nullopt;
  }
  if (std::string_view(*value_text).ends_with(kCutMark)) {
    mistakes.add(path,
                 "is the cut form that answers show; give the whole value or leave headers out");
    return std::nullopt;
  }
  return Header{std::string(*name_text), std::string(*value_text)};
}

void read_header_list(const boost::json::array& list, const std::string& path, Mistakes& mistakes,
                      HeaderList& out) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    ObjectReader inner(list[i], at, mistakes);
    const boost::json::value* name = inner.take("name");
    const boost::json::value* value = inner.take("value");
    inner.finish();
    if (!name || !value) {
      if (list[i].is_object()) mistakes.add(at, "expected {\"name\", \"value\"}");
      continue;
    }
    if (auto header = read_header(*name, *value, at, mistakes)) out.push_back(std::move(*header));
  }
}

std::optional<HeaderList> take_headers(ObjectReader& fields) {
  const boost::json::value* given = fields.take("headers");
  if (!given) return std::nullopt;
  HeaderList out;
  if (given->is_null()) return out;
  const std::string path = fields.path_of("headers");
  Mistakes& mistakes = fields.mistakes();
  const std::size_t count = given->is_object()  ? given->get_object().size()
                            : given->is_array() ? given->get_array().size()
                                                : kActionHeadersMax + 1;
  if (count > kActionHeadersMax) {
    mistakes.add(
        path, fmt::format("expected at most {} headers as an object of name and value or a list of "
                          "{{\"name\", \"value\"}}",
                          kActionHeadersMax));
    return std::nullopt;
  }
  if (given->is_array()) {
    read_header_list(given->get_array(), path, mistakes, out);
  } else {
    for (const auto& field : given->get_object()) {
      const std::string at = fmt::format(
          "{}.{}", path, valid_utf8(std::string_view(field.key()).substr(0, kEchoBytesMax)));
      auto header = read_header(boost::json::value(field.key()), field.value(), at, mistakes);
      if (header) out.push_back(std::move(*header));
    }
  }
  std::size_t bytes = 0;
  for (const auto& header : out) bytes += header.name.size() + header.value.size();
  if (bytes > kHeaderBytesMax) {
    mistakes.add(path,
                 fmt::format("expected at most {} bytes in all, given {}", kHeaderBytesMax, bytes));
  }
  return out;
}

std::optional<ForwardHeaders> take_forward_headers(ObjectReader& fields) {
  const boost::json::value* given = fields.take("forward_headers");
  if (!given) return std::nullopt;
  if (given->is_null()) return ForwardHeaders{};
  if (given->is_string()) {
    if (given->get_string() == "all") return ForwardHeaders{};
    if (given->get_string() == "none") return ForwardHeaders{ForwardHeaders::Kind::none, {}};
  }
  const std::string path = fields.path_of("forward_headers");
  const boost::json::array* list = given->if_array();
  if (!list || list->size() > kHeadersMax) {
    fields.mistakes().add(
        path,
        fmt::format("expected \"all\", \"none\" or a list of at most {} header names, given {}",
                    kHeadersMax, describe_given(*given)));
    return std::nullopt;
  }
  ForwardHeaders out{ForwardHeaders::Kind::list, {}};
  for (std::size_t i = 0; i < list->size(); ++i) {
    const boost::json::string* name = (*list)[i].if_string();
    if (name && name->size() <= kNameBytesMax && is_header_name(*name)) {
      out.names.emplace_back(*name);
      continue;
    }
    fields.mistakes().add(
        fmt::format("{}[{}]", path, i),
        fmt::format("expected a header name, given {}", describe_given((*list)[i])));
  }
  return out;
}

std::optional<std::uint8_t> take_schemes(ObjectReader& fields) {
  const auto names = fields.text_list("signature_schemes", kSigningSecretsMax, kNameBytesMax);
  if (!names) return std::nullopt;
  std::uint8_t schemes = 0;
  for (const auto& name : *names) {
    const auto scheme = parse_scheme(name);
    if (!scheme) {
      fields.mistakes().add(
          fields.path_of("signature_schemes"),
          fmt::format("expected v1, v1a or sha256, given \"{}\"", valid_utf8(name)));
      return std::nullopt;
    }
    schemes |= *scheme;
  }
  if (schemes == 0) {
    fields.mistakes().add(fields.path_of("signature_schemes"),
                          "expected at least one of v1, v1a, sha256");
    return std::nullopt;
  }
  return schemes;
}

std::optional<std::string> take_type(ObjectReader& fields) {
  auto type = fields.text("type", 1, kNameBytesMax);
  if (type && std::ranges::find(kActionTypes, *type) == kActionTypes.end()) {
    fields.mistakes().add(
        fields.path_of("type"),
        fmt::format("expected one of {}, given \"{}\"", fmt::join(kActionTypes, ", "),
                    valid_utf8(type->substr(0, kEchoBytesMax))));
    return std::nullopt;
  }
  return type;
}

std::optional<std::string> take_target(ObjectReader& fields) {
  const boost::json::value* given = fields.take("target_url");
  if (given && given->is_null()) return std::nullopt;
  auto url = fields.text("target_url", 1, kUrlBytesMax);
  if (!url) return url;
  if (const auto wrong = wrong_with_url(*url)) {
    fields.mistakes().add(fields.path_of("target_url"), *wrong);
    return std::nullopt;
  }
  return url;
}

std::optional<std::string> take_ca_bundle(ObjectReader& fields) {
  const boost::json::value* given = fields.take("ca_bundle");
  if (given && given->is_null()) return std::string();
  auto pem = fields.text("ca_bundle", 0, kCaBundleBytesMax, Echo::kind);
  if (pem && !pem->empty() && pem->find(kPemStart) == std::string::npos) {
    fields.mistakes().add(fields.path_of("ca_bundle"),
                          fmt::format("expected PEM certificates ({})", kPemStart));
    return std::nullopt;
  }
  return pem;
}

std::optional<std::string> take_name(ObjectReader& fields) {
  auto name = fields.text("name", 1, kNameBytesMax);
  if (name && !is_one_line(*name)) {
    fields.mistakes().add(fields.path_of("name"), "expected a text on one line");
    return std::nullopt;
  }
  return name;
}

std::vector<Millis> read_schedule(const boost::json::value& given, const std::string& path,
                                  Mistakes& mistakes) {
  std::vector<Millis> out;
  const boost::json::array* list = given.if_array();
  if (!list || list->empty() || list->size() > kRetryScheduleMax) {
    mistakes.add(
        path, fmt::format("expected a list of 1 to {} durations such as [\"5s\", \"5m\"], given {}",
                          kRetryScheduleMax, describe_given(given)));
    return out;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const boost::json::string* text = (*list)[i].if_string();
    const auto wait = text ? parse_duration(*text) : Result<Millis>(Millis{0});
    if (!wait || *wait < kRetryWaitMin || *wait > kRetryWaitMax) {
      mistakes.add(
          fmt::format("{}[{}]", path, i),
          fmt::format("expected a duration from {} to {}, given {}", format_duration(kRetryWaitMin),
                      format_duration(kRetryWaitMax), describe_given((*list)[i])));
      continue;
    }
    out.push_back(*wait);
  }
  return out;
}

RetryPolicy read_retry(const boost::json::value& given, Mistakes& mistakes) {
  ObjectReader fields(given, "retry", mistakes);
  RetryPolicy policy;
  policy.policy = fields.choice<RetryOn>("policy").value_or(RetryOn::any);
  const boost::json::value* schedule = fields.take("schedule");
  const auto base = fields.duration("base", kRetryWaitMin, kRetryWaitMax);
  const auto factor = fields.number("factor", 1, kRetryFactorMax);
  const auto cap = fields.duration("cap", kRetryWaitMin, kRetryWaitMax);
  const auto tries = fields.integer("max_attempts", 1, kRetryAttemptsMax);
  fields.finish();
  const bool exponential = base || factor || cap || tries;
  if (schedule) {
    if (exponential) {
      mistakes.add("retry", "give either schedule or base, factor, cap and max_attempts, not both");
    }
    policy.schedule = read_schedule(*schedule, "retry.schedule", mistakes);
  } else if (exponential) {
    if (!base || !tries)
      mistakes.add("retry", "base and max_attempts are required without a schedule");
    policy.base = base.value_or(kRetryWaitMin);
    policy.factor = factor.value_or(policy.factor);
    policy.cap = cap.value_or(kRetryWaitMax);
    policy.max_attempts = static_cast<int>(tries.value_or(1));
    if (policy.cap < policy.base) mistakes.add("retry.cap", "expected a duration not below base");
  } else {
    policy.schedule = default_retry_policy().schedule;
  }
  return policy;
}

std::optional<RetryPolicy> take_retry(ObjectReader& fields) {
  const boost::json::value* given = fields.take("retry");
  if (!given) return std::nullopt;
  if (given->is_null()) return default_retry_policy();
  return read_retry(*given, fields.mistakes());
}

template <class T>
void assign(const std::optional<T>& from, T& to) {
  if (from) to = *from;
}

}  // namespace

std::string cut_header_value(const Header& header) {
  const std::string_view value = header.value;
  const auto space = value.find(' ');
  // Elsewhere a word before a space may be the secret itself.
  const bool has_scheme =
      (same_name(header.name, "Authorization") || same_name(header.name, "Proxy-Authorization")) &&
      space != std::string_view::npos && is_header_name(value.substr(0, space)) &&
      value.find_first_not_of(' ', space) != std::string_view::npos;
  return has_scheme ? fmt::format("{} {}", value.substr(0, space), kCutMark)
                    : std::string(kCutMark);
}

boost::json::object to_json(const RetryPolicy& policy) {
  boost::json::object out;
  if (!policy.schedule.empty()) {
    boost::json::array waits;
    for (const auto wait : policy.schedule) waits.emplace_back(format_duration(wait));
    out["schedule"] = std::move(waits);
  } else {
    out["base"] = format_duration(policy.base);
    out["factor"] = policy.factor;
    out["cap"] = format_duration(policy.cap);
    out["max_attempts"] = policy.max_attempts;
  }
  out["policy"] = to_text(policy.policy);
  return out;
}

boost::json::object to_json(const Action& action) {
  boost::json::object out;
  out["id"] = action.id.str();
  out["source_id"] = action.source.str();
  out["name"] = valid_utf8(action.name);
  out["type"] = action.type;
  out["target_url"] = nullptr;
  if (!action.target_url.empty()) out["target_url"] = action.target_url;
  out["state"] = to_text(action.desired);
  out["is_active"] = action.desired != DesiredState::disabled;
  out["health"] = {{"status", to_text(action.health)},
                   {"since", to_rfc3339(action.health_since)},
                   {"reason", valid_utf8(action.health_reason)}};
  boost::json::array event_types;
  for (const auto& type : action.event_types) event_types.emplace_back(valid_utf8(type));
  out["event_types"] = std::move(event_types);
  out["headers"] = headers_json(action);
  boost::json::array secret_headers;
  for (const auto& name : action.secret_headers) secret_headers.emplace_back(name);
  out["secret_headers"] = std::move(secret_headers);
  out["forward_headers"] = forward_json(action.forward_headers);
  out["timeout"] = format_duration(action.timeout);
  out["max_in_flight"] = action.max_in_flight;
  out["retry"] = to_json(action.retry);
  out["on_dead"] = to_text(action.on_dead);
  out["backlog"] = to_json(action.backlog_bound);
  out["on_full"] = to_text(action.on_full);
  boost::json::array schemes;
  for (const auto scheme : scheme_texts(action.schemes)) schemes.emplace_back(scheme);
  out["signature_schemes"] = std::move(schemes);
  out["signing_secrets"] = secrets_json(action.secrets);
  out["ca_bundle"] = action.ca_bundle;
  put_script(out, action.script);
  out["managed_by"] = to_text(action.managed_by);
  if (action.deleting) out["deleting"] = true;
  out["revision"] = action.revision;
  out["created_at"] = to_rfc3339(action.created);
  out["updated_at"] = to_rfc3339(action.updated);
  return out;
}

Result<ActionPatch> parse_action_patch(const boost::json::value& value) {
  Mistakes mistakes;
  ObjectReader fields(value, "", mistakes);
  ActionPatch patch;
  patch.name = take_name(fields);
  patch.type = take_type(fields);
  patch.target_url = take_target(fields);
  patch.signing_secret = fields.text("signing_secret", 1, kSecretBytesMax, Echo::kind);
  patch.desired = fields.choice<DesiredState>("state");
  patch.is_active = fields.boolean("is_active");
  if (patch.desired && patch.is_active &&
      (*patch.desired != DesiredState::disabled) != *patch.is_active) {
    mistakes.add("is_active", fmt::format("contradicts state {}", to_text(*patch.desired)));
  }
  patch.event_types = fields.text_list("event_types", kEventTypesPerActionMax, kEventTypeBytesMax);
  patch.headers = take_headers(fields);
  patch.secret_headers = take_secret_headers(fields, kActionHeadersMax);
  patch.forward_headers = take_forward_headers(fields);
  patch.timeout = fields.duration("timeout", kAttemptTimeoutMin, kAttemptTimeoutMax);
  if (const auto most = fields.integer("max_in_flight", 1, kMaxInFlightMax)) {
    patch.max_in_flight = static_cast<int>(*most);
  }
  patch.retry = take_retry(fields);
  patch.on_dead = fields.choice<OnDead>("on_dead");
  patch.backlog_bound = take_backlog(fields, "backlog");
  patch.on_full = fields.choice<OnFull>("on_full");
  patch.schemes = take_schemes(fields);
  patch.ca_bundle = take_ca_bundle(fields);
  patch.script_body = take_script_body(fields);
  fields.finish({"id", "script_version", "source_id", "health", "signing_secrets", "managed_by",
                 "deleting", "revision", "created_at", "updated_at"});
  if (mistakes.any()) return mistakes.error();
  return patch;
}

std::uint8_t default_schemes(std::string_view signing_secret) {
  if (signing_secret.starts_with("whsec_")) return kSchemeV1;
  if (signing_secret.starts_with("whsk_")) return kSchemeV1a;
  return kSchemeV1 | kSchemeSha256;
}

Result<> check_target(const Action& action) {
  if (action.type == kWebhook && action.target_url.empty()) {
    return fail(errc::malformed, "target_url: is required for webhook actions");
  }
  if (action.type == kJavascript && !action.script) {
    return fail(errc::malformed, "script_body: is required for javascript actions");
  }
  if (action.type != kJavascript && action.script) {
    return fail(errc::malformed, "script_body: is for javascript actions only");
  }
  return {};
}

Result<> apply(const ActionPatch& patch, Action& action) {
  assign(patch.name, action.name);
  assign(patch.type, action.type);
  assign(patch.target_url, action.target_url);
  if (patch.desired) {
    action.desired = *patch.desired;
  } else if (patch.is_active == false) {
    action.desired = DesiredState::disabled;
  } else if (patch.is_active == true && action.desired == DesiredState::disabled) {
    action.desired = DesiredState::active;
  }
  assign(patch.event_types, action.event_types);
  assign(patch.headers, action.headers);
  assign(patch.secret_headers, action.secret_headers);
  assign(patch.forward_headers, action.forward_headers);
  assign(patch.timeout, action.timeout);
  assign(patch.max_in_flight, action.max_in_flight);
  assign(patch.retry, action.retry);
  assign(patch.on_dead, action.on_dead);
  assign(patch.backlog_bound, action.backlog_bound);
  assign(patch.on_full, action.on_full);
  if (patch.schemes) {
    action.schemes = *patch.schemes;
  } else if (patch.signing_secret && action.secrets.empty()) {
    action.schemes = default_schemes(*patch.signing_secret);
  }
  assign(patch.ca_bundle, action.ca_bundle);
  if (action.name.empty()) action.name = action.id.str();
  if (patch.script_body) {
    change_script(*patch.script_body, ScriptEntry::process, action.name + ":process", action.script,
                  action.script_versions);
  }
  return check_target(action);
}

}  // namespace grapnel::model
