#include "surface/cli/yaml.h"

#include <fmt/format.h>
#include <yaml.h>

#include <charconv>
#include <map>
#include <new>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "model/json_reader.h"
#include "model/texts.h"
#include "surface/cli/errors.h"
#include "surface/cli/limits.h"
#include "surface/cli/yaml_scalar.h"

namespace grapnel::cli {
namespace {

using boost::json::value;

class Event {
 public:
  Event() = default;
  ~Event() {
    if (filled_) yaml_event_delete(&event_);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool read(yaml_parser_t& parser) {
    filled_ = yaml_parser_parse(&parser, &event_) == 1;
    return filled_;
  }
  const yaml_event_t* operator->() const { return &event_; }
  int line() const { return static_cast<int>(event_.start_mark.line) + 1; }

 private:
  yaml_event_t event_{};
  bool filled_ = false;
};

std::string_view text_of(const yaml_char_t* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

std::string shown(std::string_view text) {
  if (text.size() <= model::kEchoBytesMax) return valid_utf8(text);
  return valid_utf8(text.substr(0, model::kEchoBytesMax)) + "…";
}

/// A value and what it costs each time an alias repeats it.
struct Node {
  boost::json::value value;
  std::size_t nodes = 1;
  std::size_t bytes = 0;
};

class Reader {
 public:
  Reader(std::string_view text, std::string_view file) : file_(file) {
    if (yaml_parser_initialize(&parser_) != 1) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  }
  ~Reader() { yaml_parser_delete(&parser_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Result<std::vector<YamlDocument>> documents();

 private:
  std::unexpected<Error> wrong(int line, std::string_view what) const {
    return fail(errc::malformed, fmt::format("{}:{}: {}", file_, line, what));
  }
  std::unexpected<Error> wrong_syntax() const;
  Result<Node> node(const Event& event, Lines& lines, int depth);
  Result<Node> scalar(const Event& event);
  Result<Node> alias(const Event& event);
  Result<Node> list(Lines& lines, int depth);
  Result<Node> mapping(Lines& lines, int depth);
  Result<std::string> key(const Event& event);
  Result<> spend(const Node& node, int line);

  yaml_parser_t parser_{};
  std::string file_;
  std::map<std::string, std::optional<Node>, std::less<>> anchors_;  ///< none: not complete yet
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

std::unexpected<Error> Reader::wrong_syntax() const {
  const std::string_view problem = parser_.problem ? parser_.problem : "not YAML";
  const std::size_t line =
      parser_.error == YAML_READER_ERROR ? parser_.mark.line : parser_.problem_mark.line;
  if (problem.contains("found character that cannot start any token")) {
    return wrong(static_cast<int>(line) + 1,
                 "a character that cannot stand here (tabs do not indent; quote texts that begin "
                 "with % @ or `)");
  }
  return wrong(static_cast<int>(line) + 1, problem);
}

Result<> Reader::spend(const Node& node, int line) {
  nodes_ += node.nodes;
  bytes_ += node.bytes;
  if (nodes_ > kYamlNodesMax) {
    return wrong(line, fmt::format("more than {} values, aliases followed", kYamlNodesMax));
  }
  if (bytes_ > kYamlExpandedBytesMax) {
    return wrong(line, fmt::format("more than {} bytes, aliases followed", kYamlExpandedBytesMax));
  }
  return {};
}

Result<Node> Reader::scalar(const Event& event) {
  const auto& data = event->data.scalar;
  const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
  const std::string_view tag = text_of(data.tag);
  Node out{nullptr, 1, text.size()};
  if (auto spent = spend(out, event.line()); !spent) return fail(std::move(spent.error()));
  const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE && tag.empty();
  if (!plain) {
    if (!tag.empty() && tag != YAML_STR_TAG && tag != "!") {
      return wrong(event.line(), fmt::format("the tag {} is not supported", shown(tag)));
    }
    out.value = text;
    return out;
  }
  auto resolved = resolve_plain(text);
  if (!resolved) return wrong(event.line(), resolved.error().context);
  out.value = std::move(*resolved);
  return out;
}

Result<Node> Reader::alias(const Event& event) {
  const std::string_view name = text_of(event->data.alias.anchor);
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) {
    return wrong(event.line(), fmt::format("no anchor &{} before this", shown(name)));
  }
  if (!found->second) {
    return wrong(event.line(), fmt::format("*{} stands inside its own anchor", shown(name)));
  }
  // Counted before it is copied: this is where a small file becomes a large value.
  if (auto spent = spend(*found->second, event.line()); !spent) {
    return fail(std::move(spent.error()));
  }
  return *found->second;
}

Result<Node> Reader::list(Lines& lines, int depth) {
  Node out{boost::json::array(), 1, 0};
  boost::json::array& items = out.value.get_array();
  for (;;) {
    Event event;
    if (!event.read(parser_)) return wrong_syntax();
    if (event->type == YAML_SEQUENCE_END_EVENT) return out;
    Lines& part = lines.add(fmt::format("[{}]", items.size()), event.line());
    auto item = node(event, part, depth + 1);
    if (!item) return item;
    out.nodes += item->nodes;
    out.bytes += item->bytes;
    items.push_back(std::move(item->value));
  }
}

Result<std::string> Reader::key(const Event& event) {
  if (event->type != YAML_SCALAR_EVENT) {
    return wrong(event.line(), "a key must be a plain text");
  }
  const auto& data = event->data.scalar;
  const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
  if (data.anchor) return wrong(event.line(), "a key cannot have an anchor");
  if (text == "<<" && data.style == YAML_PLAIN_SCALAR_STYLE) {
    return wrong(event.line(), "merge keys (<<) are not supported; write the fields out");
  }
  if (text.size() > kYamlKeyBytesMax) {
    return wrong(event.line(), fmt::format("a key of {} bytes; at most {} are possible",
                                           text.size(), kYamlKeyBytesMax));
  }
  bytes_ += text.size();
  return std::string(text);
}

Result<Node> Reader::mapping(Lines& lines, int depth) {
  Node out{boost::json::object(), 1, 0};
  boost::json::object& fields = out.value.get_object();
  for (;;) {
    Event event;
    if (!event.read(parser_)) return wrong_syntax();
    if (event->type == YAML_MAPPING_END_EVENT) return out;
    auto name = key(event);
    if (!name) return fail(std::move(name.error()));
    if (fields.contains(*name)) {
      return wrong(event.line(), fmt::format("the key '{}' stands twice", shown(*name)));
    }
    Event of_value;
    if (!of_value.read(parser_)) return wrong_syntax();
    Lines& part = lines.add(*name, event.line());
    auto field = node(of_value, part, depth + 1);
    if (!field) return field;
    out.nodes += field->nodes;
    out.bytes += field->bytes + name->size();
    fields.emplace(*name, std::move(field->value));
  }
}

Result<Node> Reader::node(const Event& event, Lines& lines, int depth) {
  if (depth > kYamlDepthMax) {
    return wrong(event.line(), fmt::format("more than {} levels deep", kYamlDepthMax));
  }
  if (event->type == YAML_ALIAS_EVENT) return alias(event);
  std::string_view anchor;
  Result<Node> out;
  if (event->type == YAML_SCALAR_EVENT) {
    anchor = text_of(event->data.scalar.anchor);
    out = scalar(event);
  } else {
    const bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
    anchor =
        text_of(is_list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor);
    const std::string_view tag =
        text_of(is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag);
    if (!tag.empty()) {
      return wrong(event.line(), fmt::format("the tag {} is not supported", shown(tag)));
    }
    if (auto spent = spend(Node{}, event.line()); !spent) return fail(std::move(spent.error()));
    if (!anchor.empty()) anchors_.insert_or_assign(std::string(anchor), std::nullopt);
    out = is_list ? list(lines, depth) : mapping(lines, depth);
  }
  if (out && !anchor.empty()) {
    // The copy that the anchor keeps counts, too: many anchors on nested values would multiply.
    if (auto spent = spend(*out, event.line()); !spent) return fail(std::move(spent.error()));
    anchors_.insert_or_assign(std::string(anchor), *out);
  }
  return out;
}

Result<std::vector<YamlDocument>> Reader::documents() {
  std::vector<YamlDocument> out;
  for (;;) {
    Event event;
    if (!event.read(parser_)) return wrong_syntax();
    switch (event->type) {
      case YAML_STREAM_END_EVENT: return out;
      case YAML_STREAM_START_EVENT: break;
      case YAML_DOCUMENT_END_EVENT: break;
      case YAML_DOCUMENT_START_EVENT:
        if (out.size() == kYamlDocumentsMax) {
          return wrong(event.line(), fmt::format("more than {} documents", kYamlDocumentsMax));
        }
        anchors_.clear();
        break;
      default: {
        YamlDocument document{nullptr, Lines(event.line())};
        auto root = node(event, document.lines, 0);
        if (!root) return fail(std::move(root.error()));
        document.value = std::move(root->value);
        out.push_back(std::move(document));
      }
    }
  }
}

/// ".name" where the sentence is "unknown field 'name'…": it stands on that field's line.
std::string unknown_field(std::string_view sentence) {
  constexpr std::string_view kStart = "unknown field '";
  if (!sentence.starts_with(kStart)) return "";
  sentence.remove_prefix(kStart.size());
  return fmt::format(".{}", sentence.substr(0, sentence.find('\'')));
}

}  // namespace

Lines& Lines::add(std::string step, int line) {
  return parts_.emplace_back(std::move(step), Lines(line)).second;
}

int Lines::of(std::string_view path) const {
  if (path.starts_with('.')) path.remove_prefix(1);
  const Lines* best = nullptr;
  std::size_t longest = 0;
  for (const auto& [step, part] : parts_) {
    if (!path.starts_with(step) || step.size() < longest) continue;
    const bool whole =
        path.size() == step.size() || path[step.size()] == '.' || path[step.size()] == '[';
    if (!whole) continue;
    best = &part;
    longest = step.size();
  }
  return best ? best->of(path.substr(longest)) : line_;
}

Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, std::string_view file) {
  if (text.size() > kYamlBytesMax) {
    return fail(errc::malformed, fmt::format("{}: {} bytes; at most {} are possible", file,
                                             text.size(), kYamlBytesMax));
  }
  return Reader(text, file).documents();
}

std::string with_lines(std::string_view mistakes, std::string_view file, const Lines& lines,
                       std::string_view base) {
  std::string out;
  while (!mistakes.empty()) {
    const std::size_t end = mistakes.find('\n');
    const std::string_view line = mistakes.substr(0, end);
    mistakes.remove_prefix(end == std::string_view::npos ? mistakes.size() : end + 1);
    std::string path(base);
    std::string_view field = line.substr(0, std::min(line.find(": "), line.size()));
    // A sentence about the value itself has no path; one with a space before the colon is a
    // sentence.
    if (field.size() == line.size() || field.contains(' ')) field = {};
    if (!field.empty()) path += path.empty() ? std::string(field) : fmt::format(".{}", field);
    const std::string_view sentence = field.empty() ? line : line.substr(field.size() + 2);
    if (!out.empty()) out += '\n';
    out += fmt::format("{}:{}: {}{}{}", file, lines.of(path + unknown_field(sentence)), path,
                       path.empty() ? "" : ": ", sentence);
  }
  return out;
}

}  // namespace grapnel::cli
