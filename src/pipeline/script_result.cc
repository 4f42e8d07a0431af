#include "pipeline/script_result.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/units.h"
#include "base/utf8.h"
#include "model/errors.h"
#include "model/headers.h"
#include "model/http.h"
#include "model/limits.h"
#include "model/transform.h"
#include "pipeline/json_body.h"
#include "pipeline/outbound.h"
#include "pipeline/script_event.h"

namespace grapnel::pipeline {
namespace {

namespace json = simdjson::ondemand;
using model::errc;

template <class... Parts>
std::unexpected<Error> wrong(fmt::format_string<Parts...> text, Parts&&... parts) {
  return fail(errc::malformed, fmt::format(text, std::forward<Parts>(parts)...));
}

std::string echo(std::string_view text) { return valid_utf8(text.substr(0, model::kEchoBytesMax)); }

/// The value as it is written. It is JSON: the whole text has been looked at.
std::string raw_text(json::value value) {
  std::string_view text;
  switch (value.type().value_unsafe()) {
    case json::json_type::object:
      text = value.get_object().value_unsafe().raw_json().value_unsafe();
      break;
    case json::json_type::array:
      text = value.get_array().value_unsafe().raw_json().value_unsafe();
      break;
    default: text = value.raw_json_token();
  }
  const auto end = text.find_last_not_of(" \t\r\n");
  return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

bool is_null(json::value& value) { return value.type().value_unsafe() == json::json_type::null; }

/// JavaScript's texts may hold half of a character, which JSON.stringify writes as an escape and
/// RFC 8259 section 8.2 warns of: replaced by U+FFFD, as wherever text becomes UTF-8. Whole ones
/// are never written as escapes there.
std::string without_lone_surrogates(std::string_view text) {
  std::string out(text);
  for (std::size_t at = out.find('\\'); at != std::string::npos; at = out.find('\\', at + 2)) {
    const auto next = [&](std::size_t n) { return at + n < out.size() ? out[at + n] : '\0'; };
    const bool is_half = next(1) == 'u' && (next(2) == 'd' || next(2) == 'D') &&
                         std::string_view("89abcdefABCDEF").contains(next(3)) &&
                         at + 5 < out.size();
    if (is_half) out.replace(at + 2, 4, "fffd");
  }
  return out;
}

/// What results are read against.
struct Given {
  const model::Event& event;
  const model::SourceEntry& entry;
  std::optional<bool> body_is_json = {};  ///< found out when a text takes its place
};

/// Reads the fields of one returned object, in the order in which they are written.
class EventReading {
 public:
  EventReading(Given& given, MadeEvent& out)
      : given_(given), event_(given.event), entry_(given.entry), out_(out) {}

  Result<> field(std::string_view name, json::value value) {
    static constexpr std::array<std::string_view, 4> kOfEvents{"id", "source", "received_at",
                                                               "raw"};
    if (std::ranges::find(kOfEvents, name) != kOfEvents.end()) return {};
    if (name == "payload") return payload(value);
    if (name == "type") return type(value);
    if (name == "headers") return headers(value);
    if (name == "actions") return actions(value);
    return wrong("it returned a field '{}'; there are payload, headers, actions and type",
                 echo(name));
  }

  /// After all fields: a body that became JSON says so, unless the script says otherwise.
  void finish() {
    if (!is_json_ || model::find_header(out_.set_headers, "Content-Type")) return;
    const auto sent = model::find_header(event_.headers, "Content-Type");
    if (sent && model::is_json_type(*sent)) return;
    out_.set_headers.push_back({"Content-Type", "application/json"});
  }

 private:
  Result<> payload(json::value value) {
    const bool is_text = value.type().value_unsafe() == json::json_type::string;
    if (is_text && !given_.body_is_json) given_.body_is_json = is_json(event_.body);
    if (is_text && !*given_.body_is_json) {
      out_.body = std::string(value.get_string().value_unsafe());
      return {};
    }
    out_.body = raw_text(value);
    is_json_ = true;
    return {};
  }

  Result<> type(json::value value) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS || text.empty() ||
        text.size() > model::kEventTypeBytesMax) {
      return wrong("type: expected a text of 1 to {} bytes", model::kEventTypeBytesMax);
    }
    if (std::ranges::any_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; })) {
      return wrong("type: expected a text on one line");
    }
    if (text != event_.type) out_.type = std::string(text);
    return {};
  }

  Result<> headers(json::value value) {
    json::object fields;
    if (value.get_object().get(fields) != simdjson::SUCCESS) {
      return wrong("headers: expected an object of names and values");
    }
    std::size_t names = 0;
    for (auto field : fields) {
      if (++names > model::kHeadersMax) {
        return wrong("headers: expected at most {}", model::kHeadersMax);
      }
      const std::string name(field.unescaped_key().value_unsafe());
      if (auto done = header(name, field.value().value_unsafe()); !done) return done;
    }
    std::size_t bytes = 0;
    for (const auto& header : out_.set_headers) bytes += header.name.size() + header.value.size();
    if (out_.set_headers.size() > model::kHeadersMax || bytes > model::kHeaderBytesMax) {
      return wrong("headers: expected at most {} of at most {} bytes", model::kHeadersMax,
                   model::kHeaderBytesMax);
    }
    return {};
  }

  Result<> header(const std::string& name, json::value value) {
    if (!model::is_header_name(name)) return wrong("headers: '{}' is no name", echo(name));
    if (!is_forwardable(entry_.source, name)) return {};
    if (is_null(value)) {
      out_.removed_headers.push_back(name);
      return {};
    }
    if (value.type().value_unsafe() != json::json_type::array) {
      auto done = one_header(name, value);
      // What the sender sent is no change.
      if (done && joined_header(event_.headers, name) == out_.set_headers.back().value) {
        out_.set_headers.pop_back();
      }
      return done;
    }
    for (auto item : value.get_array().value_unsafe()) {
      if (auto done = one_header(name, item.value_unsafe()); !done) return done;
      if (out_.set_headers.size() > model::kHeadersMax) break;
    }
    return {};
  }

  Result<> one_header(const std::string& name, json::value value) {
    std::string text;
    switch (value.type().value_unsafe()) {
      case json::json_type::string: text = value.get_string().value_unsafe(); break;
      case json::json_type::number:
      case json::json_type::boolean: text = raw_text(value); break;
      default: return wrong("headers.{}: expected a text, a number, a list of them or null", name);
    }
    if (!model::is_header_value(text)) {
      return wrong("headers.{}: expected a text on one line", name);
    }
    out_.set_headers.push_back({name, std::move(text)});
    return {};
  }

  Result<> actions(json::value value) {
    json::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
      return wrong("actions: expected a list of ids or names");
    }
    out_.actions.emplace();
    for (auto item : list) {
      if (out_.actions->size() == entry_.actions.size()) {
        return wrong("actions: expected each action at most once");
      }
      auto id = action(item.value_unsafe());
      if (!id) return fail(std::move(id.error()));
      out_.actions->push_back(*id);
    }
    return {};
  }

  Result<model::ActionId> action(json::value value) {
    std::string name;
    if (value.type().value_unsafe() == json::json_type::object) {
      std::string_view id;
      if (value.find_field_unordered("id").get_string().get(id) != simdjson::SUCCESS) {
        return wrong("actions: expected ids, names, or objects with an id");
      }
      name = id;
    } else if (value.type().value_unsafe() == json::json_type::string) {
      name = value.get_string().value_unsafe();
    } else {
      return wrong("actions: expected ids, names, or objects with an id");
    }
    const auto id = model::ActionId::parse(name);
    for (const auto& one : entry_.actions) {
      if (!model::is_transform(*one) && ((id && one->id == *id) || one->name == name)) {
        return one->id;
      }
    }
    return wrong("actions: source '{}' has no action '{}'", entry_.source.slug, echo(name));
  }

  Given& given_;
  const model::Event& event_;
  const model::SourceEntry& entry_;
  MadeEvent& out_;
  bool is_json_ = false;
};

Result<MadeEvent> read_event(json::object fields, Given& given) {
  MadeEvent out;
  EventReading reading(given, out);
  for (auto field : fields) {
    const std::string name(field.unescaped_key().value_unsafe());
    if (auto done = reading.field(name, field.value().value_unsafe()); !done) {
      return fail(std::move(done.error()));
    }
  }
  reading.finish();
  return out;
}

Result<Made> read_split(json::array list, Given& given) {
  Made made{.kind = Made::Kind::split, .events = {}};
  std::uint64_t bytes = 0;
  for (auto item : list) {
    if (made.events.size() == model::kSplitEventsMax) {
      return wrong("it returned more than {} events", model::kSplitEventsMax);
    }
    json::object fields;
    if (item.get_object().get(fields) != simdjson::SUCCESS) {
      return wrong("it returned a list whose element {} is no object", made.events.size());
    }
    auto one = read_event(fields, given);
    if (!one) {
      return wrong("element {} of what it returned: {}", made.events.size(), one.error().context);
    }
    bytes += one->body ? one->body->size() : given.event.body_size;
    if (bytes > model::kSplitBytesMax) {
      return wrong("the events it returned have more than {} in all",
                   format_size(model::kSplitBytesMax));
    }
    made.events.push_back(std::move(*one));
  }
  if (made.events.size() * given.entry.actions.size() > model::kSplitDeliveriesMax) {
    return wrong("{} events for {} actions are more than {} deliveries", made.events.size(),
                 given.entry.actions.size(), model::kSplitDeliveriesMax);
  }
  if (made.events.empty()) made.kind = Made::Kind::dropped;
  return made;
}

}  // namespace

Result<Made> read_made(std::string_view written, const model::Event& event,
                       const model::SourceEntry& entry) {
  const std::string text = without_lone_surrogates(written);
  if (text.empty()) return Made{.kind = Made::Kind::dropped, .events = {}};
  if (!is_json(text)) return wrong("what it returned is no JSON");
  Given given{.event = event, .entry = entry};
  json::parser parser;
  const simdjson::padded_string padded(text);
  json::document document;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) {
    return wrong("what it returned is no JSON");
  }
  switch (document.type().value_unsafe()) {
    case json::json_type::array: return read_split(document.get_array().value_unsafe(), given);
    case json::json_type::object: break;
    default:
      return wrong("it returned {}; expected an object, a list of objects, or null to drop",
                   echo(text));
  }
  auto made = read_event(document.get_object().value_unsafe(), given);
  if (!made) return fail(std::move(made.error()));
  Made out;
  out.events.push_back(std::move(*made));
  return out;
}

Made unchanged() {
  Made out;
  out.events.emplace_back();
  return out;
}

}  // namespace grapnel::pipeline
