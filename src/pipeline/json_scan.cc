#include "pipeline/json_scan.h"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <charconv>

#include "pipeline/limits.h"

namespace grapnel::pipeline {

static_assert(kJsonFeedBytesMax + 4 <= BOOST_JSON_STACK_BUFFER_SIZE);

namespace {

struct Token {
  std::string name;
  std::int64_t index = -1;  ///< as which it names an element of an array; -1: of none
};

/// RFC 6901, section 4: digits without leading zeros.
std::int64_t index_of(std::string_view name) {
  if (name.empty() || name.front() == '-' || (name.size() > 1 && name.front() == '0')) return -1;
  std::int64_t index = -1;
  const char* const end = std::to_address(name.end());
  const auto [at, error] = std::from_chars(std::to_address(name.begin()), end, index);
  return error == std::errc{} && at == end ? index : -1;
}

/// "/a~1b/0" -> {"a/b", "0"}; nothing for what is no pointer.
std::optional<std::vector<Token>> tokens_of(std::string_view pointer) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < pointer.size(); ++at) {
    if (pointer[at] == '/') {
      tokens.emplace_back();
      continue;
    }
    if (tokens.empty()) return std::nullopt;
    if (pointer[at] != '~') {
      tokens.back().name += pointer[at];
      continue;
    }
    const char next = at + 1 < pointer.size() ? pointer[++at] : '\0';
    if (next != '0' && next != '1') return std::nullopt;
    tokens.back().name += next == '0' ? '~' : '/';
  }
  for (Token& token : tokens) token.index = index_of(token.name);
  return tokens;
}

}  // namespace

/// Takes the events of a parse and follows every pointer as far as the text goes along it.
class JsonScan::Finder {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the names that basic_parser asks for
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  // NOLINTEND(readability-identifier-naming)
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  explicit Finder(std::span<const std::string> pointers) {
    for (const std::string& pointer : pointers) {
      auto tokens = tokens_of(pointer);
      if (!tokens || tokens->empty()) continue;
      for (const auto& token : *tokens) {
        token_bytes_max_ = std::max(token_bytes_max_, token.name.size());
      }
      wanted_.push_back({.pointer = pointer, .tokens = std::move(*tokens)});
    }
  }

  BodyValues take_values() {
    BodyValues values;
    for (Wanted& wanted : wanted_) {
      if (wanted.is_found) values.emplace_back(std::move(wanted.pointer), std::move(wanted.value));
    }
    return values;
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& error) { return begin(error) && enter(kObject); }
  bool on_array_begin(Code& error) { return begin(error) && enter(0); }
  bool on_object_end(std::size_t, Code&) { return leave(); }
  bool on_array_end(std::size_t, Code&) { return leave(); }
  bool on_key_part(Text part, std::size_t, Code&) {
    keep(key_, part, token_bytes_max_);
    return true;
  }
  bool on_key(Text part, std::size_t, Code&) {
    keep(key_, part, token_bytes_max_);
    step([this](const Token& token) { return token.name == key_; });
    key_.clear();
    return true;
  }
  bool on_string_part(Text part, std::size_t, Code& error) { return add(part, error); }
  bool on_string(Text part, std::size_t, Code& error) { return end(part, error); }
  bool on_number_part(Text part, Code& error) { return add(part, error); }
  bool on_int64(std::int64_t, Text part, Code& error) { return end(part, error); }
  bool on_uint64(std::uint64_t, Text part, Code& error) { return end(part, error); }
  bool on_double(double, Text part, Code& error) { return end(part, error); }
  bool on_bool(bool value, Code& error) { return end(value ? "true" : "false", error); }
  bool on_null(Code& error) { return begin(error); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  struct Wanted {
    std::string pointer;
    std::vector<Token> tokens;
    std::size_t matched = 0;  ///< so many tokens lead to where the parse is, or was
    bool is_over = false;     ///< the parse has left what it matched
    bool is_found = false;
    std::string value;
  };
  /// Of an array the elements so far.
  static constexpr std::int64_t kObject = -1;

  /// Of more than `bytes_max` it keeps one byte more: enough to be another.
  static void keep(std::string& kept, Text part, std::size_t bytes_max) {
    const std::size_t room = bytes_max + 1 - kept.size();
    kept.append(part.data(), std::min(part.size(), room));
  }
  /// The parse is at a name, or an element, of the container it is in: that which `is_it(token)`.
  template <class IsIt>
  void step(const IsIt& is_it) {
    const std::size_t depth = containers_.size();
    for (Wanted& wanted : wanted_) {
      if (wanted.matched >= depth) wanted.is_over = true;
      if (!wanted.is_over && wanted.matched == depth - 1 && depth <= wanted.tokens.size() &&
          is_it(wanted.tokens[depth - 1])) {
        wanted.matched = depth;
      }
    }
  }
  /// A value begins, unless it goes on: in an array it is the next element.
  bool begin(Code& error) {
    if (is_in_value_ || containers_.empty()) return true;
    if (containers_.size() >= kJsonDepthMax) {  // simdjson's way to count
      error = boost::json::error::too_deep;
      return false;
    }
    if (containers_.back() == kObject) return true;
    const std::int64_t index = containers_.back()++;
    step([index](const Token& token) { return token.index == index; });
    return true;
  }
  bool enter(std::int64_t container) {
    containers_.push_back(container);
    return true;
  }
  bool leave() {
    containers_.pop_back();
    return true;
  }
  bool is_here(const Wanted& wanted) const {
    return !wanted.is_over && wanted.matched == containers_.size() &&
           wanted.matched == wanted.tokens.size();
  }
  bool add(Text part, Code& error) {
    if (!begin(error)) return false;
    is_in_value_ = true;
    for (Wanted& wanted : wanted_) {
      if (is_here(wanted)) keep(wanted.value, part, kPointerValueBytesMax);
    }
    return true;
  }
  bool end(Text part, Code& error) {
    if (!add(part, error)) return false;
    is_in_value_ = false;
    for (Wanted& wanted : wanted_) {
      if (is_here(wanted)) wanted.is_found = wanted.value.size() <= kPointerValueBytesMax;
    }
    return true;
  }

  std::vector<Wanted> wanted_;
  std::size_t token_bytes_max_ = 0;
  std::vector<std::int64_t> containers_;
  std::string key_;
  bool is_in_value_ = false;  ///< inside a string or number
};

struct JsonScan::Parser {
  static boost::json::parse_options options() {
    boost::json::parse_options options;
    options.max_depth = kJsonDepthMax;  // the innermost is empty: see begin()
    return options;
  }
  explicit Parser(std::span<const std::string> pointers) : parser(options(), pointers) {}

  /// False once the text cannot become JSON any more.
  bool feed(bool more, std::string_view piece) {
    if (failed) return false;
    boost::json::error_code error;
    failed = parser.write_some(more, piece.data(), piece.size(), error) != piece.size() || error;
    return !failed;
  }

  boost::json::basic_parser<Finder> parser;
  bool failed = false;
};

JsonScan::JsonScan(std::span<const std::string> pointers)
    : parser_(std::make_unique<Parser>(pointers)) {}

JsonScan::~JsonScan() = default;

void JsonScan::add(std::string_view piece) {
  for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kJsonFeedBytesMax))) {
    if (!parser_->feed(true, piece.substr(0, kJsonFeedBytesMax))) return;
  }
}

std::optional<BodyValues> JsonScan::finish() {
  if (!parser_->feed(false, "")) return std::nullopt;
  return parser_->parser.handler().take_values();
}

}  // namespace grapnel::pipeline
