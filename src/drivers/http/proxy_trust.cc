#include "drivers/http/proxy_trust.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ranges>

#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/// Elements of a comma-separated field from the right, later fields first.
std::vector<std::string_view> elements_from_right(const model::HeaderList& headers,
                                                  std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& header : headers | std::views::reverse) {
    if (!model::same_name(header.name, name)) continue;
    std::string_view rest = header.value;
    for (;;) {
      const std::size_t comma = rest.rfind(',');
      out.push_back(trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1)));
      if (out.size() == kForwardedHopsMax) return out;
      if (comma == std::string_view::npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return out;
}

struct Hop {
  IpAddress address;
  std::string_view port;  // may be empty
};

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size() &&
         value <= 65'535;
}

/// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711".
std::optional<Hop> parse_hop(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    if (!rest.empty()) port = rest.substr(1);
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
  }
  auto address = IpAddress::parse(host);
  if (!address || (!port.empty() && !is_port(port))) return std::nullopt;
  return Hop{address->unmapped(), port};
}

}  // namespace

bool ProxyTrust::trusts(const IpAddress& peer) const {
  return std::ranges::any_of(proxies_, [&](const Cidr& cidr) { return cidr.contains(peer); });
}

std::optional<std::string> ProxyTrust::client(const model::HeaderList& headers) const {
  std::optional<Hop> farthest;
  for (const std::string_view element : elements_from_right(headers, "X-Forwarded-For")) {
    const auto hop = parse_hop(element);
    if (!hop) break;  // what is left of it was written by who knows whom
    farthest = hop;
    if (!trusts(hop->address)) break;
  }
  if (!farthest) return std::nullopt;
  std::string address = farthest->address.str();
  if (farthest->port.empty()) return address;
  if (farthest->address.is_v4()) return fmt::format("{}:{}", address, farthest->port);
  return fmt::format("[{}]:{}", address, farthest->port);
}

std::optional<bool> ProxyTrust::secure(const model::HeaderList& headers) const {
  const auto elements = elements_from_right(headers, "X-Forwarded-Proto");
  if (elements.empty()) return std::nullopt;
  return model::same_name(elements.front(), "https");
}

}  // namespace grapnel::http
