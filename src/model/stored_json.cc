#include "model/stored_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include "model/errors.h"
#include "model/inbound_json.h"
#include "model/texts.h"

namespace grapnel::model {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

std::string to_hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// Lenient reading of what to_stored wrote: an absent field is its default, a field of the wrong
/// kind makes the whole row unreadable.
class StoredReader {
 public:
  explicit StoredReader(const object& fields) : fields_(fields) {}

  bool damaged() const { return damaged_; }
  void damage() { damaged_ = true; }

  const value* take(std::string_view name) const { return fields_.if_contains(name); }

  void read(std::string_view name, std::string& out) {
    if (const value* found = take(name)) read_text(*found, out);
  }
  void read(std::string_view name, bool& out) {
    const value* found = take(name);
    if (!found) return;
    found->is_bool() ? void(out = found->get_bool()) : damage();
  }
  template <class Integer>
    requires std::is_integral_v<Integer>
  void read(std::string_view name, Integer& out) {
    const value* found = take(name);
    if (!found) return;
    found->is_int64() ? void(out = static_cast<Integer>(found->get_int64())) : damage();
  }
  void read(std::string_view name, double& out) {
    const value* found = take(name);
    if (!found) return;
    found->is_number() ? void(out = found->to_number<double>()) : damage();
  }
  void read(std::string_view name, Millis& out) {
    std::int64_t count = out.count();
    read(name, count);
    out = Millis{count};
  }
  void read(std::string_view name, Time& out) {
    std::int64_t count = out.time_since_epoch().count();
    read(name, count);
    out = Time{Millis{count}};
  }
  void read(std::string_view name, std::optional<Time>& out) {
    Time time;
    read(name, time);
    if (take(name)) out = time;
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void read(std::string_view name, Enum& out) {
    std::string text;
    read(name, text);
    if (!take(name)) return;
    const auto found = from_text<Enum>(text);
    found ? void(out = *found) : damage();
  }
  template <class Tag>
  void read(std::string_view name, Id<Tag>& out) {
    std::string text;
    read(name, text);
    if (!take(name)) return;
    const auto id = Id<Tag>::parse(text);
    id ? void(out = *id) : damage();
  }
  void read(std::string_view name, std::vector<std::string>& out) {
    each(name, [&](const value& item) { read_text(item, out.emplace_back()); });
  }
  void read(std::string_view name, std::optional<Place>& out) {
    const value* found = take(name);
    if (found) out = read_place(*found);
  }
  void read(std::string_view name, std::vector<Millis>& out) {
    out.clear();
    each(name, [&](const value& item) {
      item.is_int64() ? void(out.push_back(Millis{item.get_int64()})) : damage();
    });
  }
  void read(std::string_view name, BacklogBound& out) {
    const value* found = take(name);
    if (!found) return;
    if (!found->is_object()) return damage();
    StoredReader inner(found->get_object());
    inner.read("count", out.count);
    inner.read("bytes", out.bytes);
    damaged_ |= inner.damaged();
  }
  template <class Function>
  void each(std::string_view name, Function function) {
    const value* found = take(name);
    if (!found) return;
    if (!found->is_array()) return damage();
    for (const auto& item : found->get_array()) function(item);
  }
  Place read_place(const value& item) {
    std::string text;
    read_text(item, text);
    auto place = parse_place(text);
    if (!place) {
      damage();
      return {};
    }
    return std::move(*place);
  }
  void read_text(const value& item, std::string& out) {
    item.is_string() ? void(out = std::string(item.get_string())) : damage();
  }

 private:
  const object& fields_;
  bool damaged_ = false;
};

Result<value> parse_stored(std::string_view text) {
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;  // header values may hold obs-text (RFC 9110 section 5.5)
  boost::system::error_code error;
  value parsed = boost::json::parse(text, error, {}, options);
  if (error) return fail(errc::malformed, "a stored definition is not JSON");
  return parsed;
}

std::int64_t count_of(Time time) { return time.time_since_epoch().count(); }

template <class Texts>
array list_of(const Texts& texts) {
  array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

object bound_of(const BacklogBound& bound) {
  return {{"count", bound.count}, {"bytes", bound.bytes}};
}

array headers_of(const HeaderList& headers) {
  array out;
  for (const auto& header : headers) out.push_back(array{header.name, header.value});
  return out;
}

bool read_headers(const value& stored, HeaderList& out) {
  const array* list = stored.if_array();
  if (!list) return false;
  out.reserve(list->size());
  for (const auto& item : *list) {
    const array* pair = item.if_array();
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string())
      return false;
    out.push_back({std::string((*pair)[0].get_string()), std::string((*pair)[1].get_string())});
  }
  return true;
}

void put_script(object& out, const ScriptPtr& script, int versions) {
  if (versions == 0) return;
  out["script_versions"] = versions;
  if (!script) return;
  out["script"] = script->body;
  out["script_version"] = script->version;
}

void read_script(StoredReader& fields, ScriptPtr& out, int& versions, ScriptEntry entry,
                 std::string name) {
  fields.read("script_versions", versions);
  if (!fields.take("script")) return;
  Script script{.body = {}, .entry = entry, .name = std::move(name)};
  fields.read("script", script.body);
  fields.read("script_version", script.version);
  out = std::make_shared<const Script>(std::move(script));
}

object retry_of(const RetryPolicy& retry) {
  array schedule;
  for (const auto wait : retry.schedule) schedule.emplace_back(wait.count());
  return {{"schedule", std::move(schedule)},
          {"base", retry.base.count()},
          {"factor", retry.factor},
          {"cap", retry.cap.count()},
          {"max_attempts", retry.max_attempts},
          {"policy", to_text(retry.policy)}};
}

void read_retry(StoredReader& fields, RetryPolicy& out) {
  const value* found = fields.take("retry");
  if (!found) return;
  if (!found->is_object()) return fields.damage();
  StoredReader inner(found->get_object());
  inner.read("schedule", out.schedule);
  inner.read("base", out.base);
  inner.read("factor", out.factor);
  inner.read("cap", out.cap);
  inner.read("max_attempts", out.max_attempts);
  inner.read("policy", out.policy);
  if (inner.damaged()) fields.damage();
}

array secrets_of(const std::vector<SigningSecret>& secrets) {
  array out;
  for (const auto& secret : secrets) {
    object one{{"sealed", to_hex(secret.sealed)}, {"created", count_of(secret.created)}};
    if (secret.expires) one["expires"] = count_of(*secret.expires);
    if (secret.primary_from) one["primary_from"] = count_of(*secret.primary_from);
    out.push_back(std::move(one));
  }
  return out;
}

void read_secrets(StoredReader& fields, std::vector<SigningSecret>& out) {
  fields.each("secrets", [&](const value& item) {
    if (!item.is_object()) return fields.damage();
    StoredReader inner(item.get_object());
    SigningSecret& secret = out.emplace_back();
    std::string hex;
    inner.read("sealed", hex);
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      const int high = digit_of(hex[i]);
      const int low = digit_of(hex[i + 1]);
      if (high < 0 || low < 0) return fields.damage();
      secret.sealed.push_back(static_cast<char>(high * 16 + low));
    }
    inner.read("created", secret.created);
    inner.read("expires", secret.expires);
    inner.read("primary_from", secret.primary_from);
    if (inner.damaged() || hex.size() % 2 != 0) fields.damage();
  });
}

}  // namespace

std::string to_stored(const Source& source) {
  object out;
  out["id"] = source.id.str();
  out["slug"] = source.slug;
  out["name"] = source.name;
  out["mode"] = to_text(source.mode);
  if (source.idempotency) {
    array places;
    for (const auto& place : *source.idempotency) places.emplace_back(to_text(place));
    out["idempotency"] = std::move(places);
  }
  if (source.event_type) out["event_type"] = to_text(*source.event_type);
  if (source.ordering_key) out["ordering_key"] = to_text(*source.ordering_key);
  out["require_json"] = source.require_json;
  out["body_bytes_max"] = static_cast<std::int64_t>(source.body_bytes_max);
  out["rate"] = source.rate_limit.per_second;
  out["burst"] = source.rate_limit.burst;
  out["secret_headers"] = list_of(source.secret_headers);
  out["secret_query"] = list_of(source.secret_query);
  out["public_url"] = source.public_url;
  put_script(out, source.script, source.script_versions);
  out["held_bound"] = bound_of(source.held_bound);
  if (source.inbound != Inbound{}) out["inbound"] = to_stored_object(source.inbound);
  out["managed_by"] = to_text(source.managed_by);
  out["deleting"] = source.deleting;
  out["revision"] = source.revision;
  out["created"] = count_of(source.created);
  out["updated"] = count_of(source.updated);
  return boost::json::serialize(out);
}

Result<Source> source_from_stored(std::string_view text) {
  const auto parsed = parse_stored(text);
  if (!parsed) return std::unexpected(parsed.error());
  if (!parsed->is_object()) return fail(errc::malformed, "a stored source is not an object");
  StoredReader fields(parsed->get_object());
  Source out;
  fields.read("id", out.id);
  fields.read("slug", out.slug);
  fields.read("name", out.name);
  fields.read("mode", out.mode);
  if (fields.take("idempotency")) {
    out.idempotency.emplace();
    fields.each("idempotency",
                [&](const value& item) { out.idempotency->push_back(fields.read_place(item)); });
  }
  fields.read("event_type", out.event_type);
  fields.read("ordering_key", out.ordering_key);
  fields.read("require_json", out.require_json);
  fields.read("body_bytes_max", out.body_bytes_max);
  fields.read("rate", out.rate_limit.per_second);
  fields.read("burst", out.rate_limit.burst);
  fields.read("secret_headers", out.secret_headers);
  fields.read("secret_query", out.secret_query);
  fields.read("public_url", out.public_url);
  read_script(fields, out.script, out.script_versions, ScriptEntry::transform,
              out.slug + ":transform");
  fields.read("held_bound", out.held_bound);
  if (const value* inbound = fields.take("inbound")) {
    auto read = inbound_from_stored(*inbound);
    read ? void(out.inbound = std::move(*read)) : fields.damage();
  }
  fields.read("managed_by", out.managed_by);
  fields.read("deleting", out.deleting);
  fields.read("revision", out.revision);
  fields.read("created", out.created);
  fields.read("updated", out.updated);
  if (fields.damaged() || out.id.empty()) {
    return fail(errc::malformed, "the stored source " + valid_utf8(out.slug) + " cannot be read");
  }
  return out;
}

std::string to_stored(const Action& action) {
  object out;
  out["id"] = action.id.str();
  out["source"] = action.source.str();
  out["name"] = action.name;
  out["type"] = action.type;
  out["target_url"] = action.target_url;
  out["desired"] = to_text(action.desired);
  out["health"] = to_text(action.health);
  out["health_since"] = count_of(action.health_since);
  out["health_reason"] = action.health_reason;
  out["event_types"] = list_of(action.event_types);
  out["headers"] = headers_of(action.headers);
  out["secret_headers"] = list_of(action.secret_headers);
  if (action.forward_headers.kind == ForwardHeaders::Kind::none) out["forward"] = "none";
  if (action.forward_headers.kind == ForwardHeaders::Kind::list) {
    out["forward"] = list_of(action.forward_headers.names);
  }
  out["timeout"] = action.timeout.count();
  out["max_in_flight"] = action.max_in_flight;
  out["retry"] = retry_of(action.retry);
  out["on_dead"] = to_text(action.on_dead);
  out["backlog_bound"] = bound_of(action.backlog_bound);
  out["on_full"] = to_text(action.on_full);
  out["schemes"] = list_of(scheme_texts(action.schemes));
  out["secrets"] = secrets_of(action.secrets);
  out["ca_bundle"] = action.ca_bundle;
  put_script(out, action.script, action.script_versions);
  out["managed_by"] = to_text(action.managed_by);
  out["deleting"] = action.deleting;
  out["revision"] = action.revision;
  out["target_revision"] = action.target_revision;
  out["created"] = count_of(action.created);
  out["updated"] = count_of(action.updated);
  return boost::json::serialize(out);
}

namespace {

void read_forward(StoredReader& fields, ForwardHeaders& out) {
  const value* forward = fields.take("forward");
  if (!forward) return;
  if (forward->is_string()) {
    out.kind = ForwardHeaders::Kind::none;
    return;
  }
  out.kind = ForwardHeaders::Kind::list;
  fields.read("forward", out.names);
}

void read_schemes(StoredReader& fields, std::uint8_t& out) {
  if (!fields.take("schemes")) return;
  out = 0;
  fields.each("schemes", [&](const value& item) {
    std::string text;
    fields.read_text(item, text);
    const auto scheme = parse_scheme(text);
    scheme ? void(out |= *scheme) : fields.damage();
  });
}

}  // namespace

Result<Action> action_from_stored(std::string_view text) {
  const auto parsed = parse_stored(text);
  if (!parsed) return std::unexpected(parsed.error());
  if (!parsed->is_object()) return fail(errc::malformed, "a stored action is not an object");
  StoredReader fields(parsed->get_object());
  Action out;
  fields.read("id", out.id);
  fields.read("source", out.source);
  fields.read("name", out.name);
  fields.read("type", out.type);
  fields.read("target_url", out.target_url);
  fields.read("desired", out.desired);
  fields.read("health", out.health);
  fields.read("health_since", out.health_since);
  fields.read("health_reason", out.health_reason);
  fields.read("event_types", out.event_types);
  const value* headers = fields.take("headers");
  if (headers && !read_headers(*headers, out.headers)) fields.damage();
  fields.read("secret_headers", out.secret_headers);
  read_forward(fields, out.forward_headers);
  fields.read("timeout", out.timeout);
  fields.read("max_in_flight", out.max_in_flight);
  read_retry(fields, out.retry);
  fields.read("on_dead", out.on_dead);
  fields.read("backlog_bound", out.backlog_bound);
  fields.read("on_full", out.on_full);
  read_schemes(fields, out.schemes);
  read_secrets(fields, out.secrets);
  fields.read("ca_bundle", out.ca_bundle);
  read_script(fields, out.script, out.script_versions, ScriptEntry::process, out.name + ":process");
  fields.read("managed_by", out.managed_by);
  fields.read("deleting", out.deleting);
  fields.read("revision", out.revision);
  fields.read("target_revision", out.target_revision);
  fields.read("created", out.created);
  fields.read("updated", out.updated);
  if (fields.damaged() || out.id.empty() || out.source.empty()) {
    return fail(errc::malformed, "the stored action " + valid_utf8(out.name) + " cannot be read");
  }
  return out;
}

std::string to_stored(const ApiKey& key) {
  object out;
  out["id"] = key.id.str();
  out["name"] = key.name;
  out["hash"] = key.hash;
  out["scope"] = to_text(key.scope);
  array sources;
  for (const auto& source : key.sources) sources.emplace_back(source.str());
  out["sources"] = std::move(sources);
  if (key.expires) out["expires"] = count_of(*key.expires);
  out["created"] = count_of(key.created);
  return boost::json::serialize(out);
}

Result<ApiKey> api_key_from_stored(std::string_view text) {
  const auto parsed = parse_stored(text);
  if (!parsed) return std::unexpected(parsed.error());
  if (!parsed->is_object()) return fail(errc::malformed, "a stored API key is not an object");
  StoredReader fields(parsed->get_object());
  ApiKey out;
  fields.read("id", out.id);
  fields.read("name", out.name);
  fields.read("hash", out.hash);
  fields.read("scope", out.scope);
  std::vector<std::string> sources;
  fields.read("sources", sources);
  for (const auto& source : sources) {
    const auto id = SourceId::parse(source);
    id ? out.sources.push_back(*id) : fields.damage();
  }
  fields.read("expires", out.expires);
  fields.read("created", out.created);
  if (fields.damaged() || out.id.empty() || out.hash.empty()) {
    return fail(errc::malformed, "the stored API key " + valid_utf8(out.name) + " cannot be read");
  }
  return out;
}

}  // namespace grapnel::model
