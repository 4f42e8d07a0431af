#include "signature/form.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/hex.h"
#include "signature/limits.h"

namespace grapnel::signature {

std::optional<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    if (!pair.empty()) {
      if (out.size() == kFormParametersMax) return std::nullopt;
      const auto equals = std::min(pair.find('='), pair.size());
      out.emplace_back(form_decode(pair.substr(0, equals)),
                       form_decode(pair.substr(std::min(equals + 1, pair.size()))));
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string_view query_of(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const auto question = url.find('?');
  return question == std::string_view::npos ? std::string_view() : url.substr(question + 1);
}

std::vector<std::string> parameter(std::string_view query, std::string_view name) {
  std::vector<std::string> out;
  const auto all = parse_form(query);
  if (!all) return out;
  for (const auto& [key, value] : *all) {
    if (key == name) out.push_back(value);
  }
  return out;
}

std::string url_of(const model::HttpRequest& request, std::string_view public_url) {
  if (public_url.empty()) {
    const auto host = model::find_header(request.headers, "Host").value_or("");
    return std::string(request.secure ? "https://" : "http://") + std::string(host) +
           request.target;
  }
  std::string url(public_url);
  const auto question = request.target.find('?');
  if (url.find('?') == std::string::npos && question != std::string::npos) {
    url += request.target.substr(question);
  }
  return url;
}

std::optional<std::string> sorted_form(std::string_view body) {
  const auto all = parse_form(body);
  if (!all) return std::nullopt;
  std::map<std::string, std::set<std::string>> sorted;
  for (const auto& [name, value] : *all) sorted[name].insert(value);
  std::string out;
  for (const auto& [name, values] : sorted) {
    for (const auto& value : values) out.append(name).append(value);
  }
  return out;
}

std::vector<std::string> with_and_without_port(const std::string& url) {
  const auto slashes = url.find("://");
  if (slashes == std::string::npos) return {url};
  const auto start = slashes + 3;
  const auto end = std::min(url.find_first_of("/?#", start), url.size());
  const std::string host = url.substr(start, end - start);
  const auto colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  const std::string head = url.substr(0, start);
  const std::string tail = url.substr(end);
  if (has_port) return {url, head + host.substr(0, colon) + tail};
  return {url, head + host + (url.starts_with("https:") ? ":443" : ":80") + tail};
}

}  // namespace grapnel::signature
