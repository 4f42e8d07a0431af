#include "pipeline/cloudevents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pipeline/json_body.h"
#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

constexpr std::array<std::string_view, 4> kRequired{"id", "source", "specversion", "type"};
constexpr std::string_view kSpace = " \t\r\n";

bool has_type(const model::HeaderList& headers, std::string_view wanted) {
  const auto type = model::find_header(headers, "Content-Type").value_or("");
  std::string_view media = type.substr(0, type.find(';'));
  while (media.ends_with(' ')) media.remove_suffix(1);
  return model::same_name(media, wanted);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Where the element of a valid JSON array that begins at `text` ends: at a ',' of its own level,
/// or at the end.
std::size_t element_end(std::string_view text) {
  std::size_t depth = 0;
  bool is_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_string) {
      if (c == '\\') ++i;
      if (c == '"') is_string = false;
    } else if (c == '"') {
      is_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',' && depth == 0) {
      return i;
    }
  }
  return text.size();
}

std::string sentence(std::string_view attribute) {
  return fmt::format("the event has no {}, which CloudEvents 1.0 requires", attribute);
}

}  // namespace

bool is_batch(const model::HeaderList& headers) { return has_type(headers, kCloudEventsBatch); }
bool is_structured(const model::HeaderList& headers) { return has_type(headers, kCloudEvent); }

std::expected<std::vector<std::string>, std::string> split_batch(std::string_view body) {
  const std::string_view whole = trim(body);
  if (!whole.starts_with('[') || !is_json(body)) {
    return std::unexpected("a batch is a JSON array of events");
  }
  std::vector<std::string> out;
  std::string_view rest = trim(whole.substr(1, whole.size() - 2));
  while (!rest.empty()) {
    if (out.size() == kCloudEventsMax) {
      return std::unexpected(
          fmt::format("a batch of more than {} events; send several", kCloudEventsMax));
    }
    const auto end = element_end(rest);
    const std::string_view element = trim(rest.substr(0, end));
    if (const auto missing = missing_attribute(element); !missing.empty()) {
      return std::unexpected(fmt::format("element {}: {}", out.size(), missing));
    }
    out.emplace_back(element);
    rest = trim(rest.substr(std::min(end + 1, rest.size())));
  }
  return out;
}

std::string missing_attribute(std::string_view event) {
  std::vector<std::string> pointers;
  pointers.reserve(kRequired.size());
  for (const auto name : kRequired) pointers.push_back(fmt::format("/{}", name));
  const BodyValues values = read_values(event, pointers);
  for (const auto& pointer : pointers) {
    const auto found = std::ranges::find(values, pointer, &BodyValues::value_type::first);
    if (found == values.end() || found->second.empty()) return sentence(pointer.substr(1));
    if (pointer == "/specversion" && !found->second.starts_with("1.")) {
      return "the event's specversion is not 1.x";
    }
  }
  return "";
}

std::string missing_attribute(const model::HeaderList& headers) {
  for (const auto name : kRequired) {
    const auto value = model::find_header(headers, fmt::format("ce-{}", name)).value_or("");
    if (value.empty()) return sentence(fmt::format("ce-{}", name));
    if (name == "specversion" && !value.starts_with("1.")) {
      return "the event's ce-specversion is not 1.x";
    }
  }
  return "";
}

std::expected<std::vector<model::HttpRequest>, std::string> cloud_events_of(
    model::HttpRequest request) {
  std::vector<model::HttpRequest> out;
  if (!is_batch(request.headers)) {
    auto missing = is_structured(request.headers) ? missing_attribute(request.body)
                                                  : missing_attribute(request.headers);
    if (!missing.empty()) return std::unexpected(std::move(missing));
    out.push_back(std::move(request));
    return out;
  }
  auto bodies = split_batch(request.body);
  if (!bodies) return std::unexpected(std::move(bodies.error()));
  request.body.clear();
  model::remove_header(request.headers, "Content-Type");
  request.headers.push_back({"Content-Type", std::string(kCloudEvent)});
  for (auto& body : *bodies) {
    out.push_back(request);
    out.back().body = std::move(body);
  }
  return out;
}

}  // namespace grapnel::pipeline
