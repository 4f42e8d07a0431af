#include "surface/api/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "model/json_text.h"
#include "model/limits.h"
#include "model/texts.h"
#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

std::string tag_of(model::Revision revision) { return fmt::format("\"{}\"", revision); }

enum class Compare : std::uint8_t { strong, weak };

/// Whether a list of entity tags (RFC 9110 section 8.8.3) names `tag`.
bool names_tag(std::string_view list, std::string_view tag, Compare compare) {
  while (!list.empty()) {
    auto entry = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (entry == "*") return true;
    if (compare == Compare::weak && entry.starts_with("W/")) entry.remove_prefix(2);
    if (entry == tag) return true;
  }
  return false;
}

}  // namespace

model::HttpResponse json_text_answer(int status, std::string text) {
  model::HttpResponse answer;
  answer.status = status;
  answer.headers = {{"Content-Type", "application/json"},
                    {"Cache-Control", "no-store"},
                    {"X-Content-Type-Options", "nosniff"}};
  answer.body = std::move(text);
  answer.body += '\n';
  return answer;
}

model::HttpResponse json_answer(int status, const boost::json::value& value) {
  return json_text_answer(status, model::json_text(value));
}

model::HttpResponse empty_answer(int status) {
  model::HttpResponse answer;
  answer.status = status;
  return answer;
}

model::HttpResponse tagged_answer(const Call& call, int status, const boost::json::object& value,
                                  model::Revision revision) {
  const std::string tag = tag_of(revision);
  const auto known = model::find_header(call.request.headers, "If-None-Match");
  const bool reads = call.request.method == "GET" || call.request.method == "HEAD";
  auto answer = reads && known && names_tag(*known, tag, Compare::weak)
                    ? empty_answer(304)
                    : json_answer(status, value);
  answer.headers.push_back({"ETag", tag});
  return answer;
}

model::HttpResponse changed_meanwhile(const Call& call) {
  const bool conditional = model::find_header(call.request.headers, "If-Match").has_value();
  return to_answer(
      Problem{conditional ? 412 : 409,
              "changed",
              "it was changed by somebody else at the same time; read it and try again",
              {}});
}

std::optional<model::HttpResponse> check_if_match(const Call& call, model::Revision revision) {
  const auto given = model::find_header(call.request.headers, "If-Match");
  if (!given || names_tag(*given, tag_of(revision), Compare::strong)) return std::nullopt;
  return to_answer(
      Problem{412,
              "changed",
              fmt::format("it was changed since: its entity tag is {} now", tag_of(revision)),
              {}});
}

void add_next(model::HttpResponse& answer, const Call& call, std::string_view cursor) {
  answer.headers.push_back(
      {"Link", fmt::format("<{}?{}>; rel=\"next\"", call.path, call.query.with("cursor", cursor))});
}

Answer<int> read_limit(const Call& call, int otherwise) {
  const auto text = call.query.find("limit");
  if (!text) return otherwise;
  int limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (error != std::errc{} || end != text->data() + text->size() || limit < 1 ||
      limit > model::kPageMax) {
    return refuse(400, "invalid",
                  fmt::format("limit: expected a number from 1 to {}", model::kPageMax));
  }
  return limit;
}

}  // namespace grapnel::api
