#include "drivers/http/url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "drivers/http/errors.h"
#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

namespace urls = boost::urls;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_host_char(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::unexpected<Error> bad(std::string why) { return fail(errc::bad_url, std::move(why)); }

/// A host whose last label is a number is an address to some clients (WHATWG URL, "ends in a
/// number").
bool ends_in_number(std::string_view host) {
  const std::size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (std::ranges::all_of(last, is_digit)) return true;
  return last.starts_with("0x") && std::ranges::all_of(last.substr(2), is_hex);
}

Result<> check_name(std::string_view host) {
  if (host.empty()) return bad("the URL has no host");
  if (host.size() > kHostBytesMax) return bad("the host name is longer than 253 characters");
  for (std::size_t from = 0; from <= host.size();) {
    const std::size_t dot = std::min(host.find('.', from), host.size());
    const std::string_view label = host.substr(from, dot - from);
    if (label.empty()) return bad(fmt::format("the host '{}' has an empty label", host));
    if (label.size() > kLabelBytesMax) {
      return bad(fmt::format("the host '{}' has a label of more than 63 characters", host));
    }
    if (!std::ranges::all_of(label, is_host_char)) {
      return bad("the host may hold letters, digits, '-', '_' and '.' only");
    }
    from = dot + 1;
  }
  return {};
}

Result<> set_host(std::string_view encoded, Url& url) {
  if (encoded.starts_with('[')) {
    if (!encoded.ends_with(']')) return bad("the brackets hold no IPv6 address");
    if (encoded.find('%') != std::string_view::npos) {
      return bad("IPv6 zone ids are not supported");
    }
    auto address = IpAddress::parse(encoded.substr(1, encoded.size() - 2));
    if (!address || address->is_v4()) return bad("the brackets hold no IPv6 address");
    url.address = *address;
    url.host = address->str();
    return {};
  }
  url.host = lower(encoded);
  if (url.host.ends_with('.')) url.host.pop_back();
  if (auto checked = check_name(url.host); !checked) return checked;
  if (!ends_in_number(url.host)) return {};
  auto address = IpAddress::parse(url.host);
  if (!address || !address->is_v4()) {
    return bad(fmt::format("the host '{}' is a number but no dotted IPv4 address such as 192.0.2.1",
                           url.host));
  }
  url.address = *address;
  return {};
}

/// The checks whose mistakes deserve a clearer sentence than the grammar's.
Result<> check_text(std::string_view text) {
  if (text.empty()) return bad("the URL is empty");
  if (text.size() > model::kUrlBytesMax) {
    return bad(fmt::format("the URL is longer than {} characters", model::kUrlBytesMax));
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      return bad(
          "the URL holds characters outside ASCII; write the host in its xn-- form and "
          "percent-encode the rest");
    }
    if (byte <= 0x20 || byte == 0x7F) return bad("the URL holds a space or control character");
  }
  return {};
}

Result<> set_port(std::string_view digits, Url& url) {
  if (digits.empty()) return {};
  unsigned value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return bad("the port is a number from 1 to 65535");
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 65'535) break;
  }
  if (value == 0 || value > 65'535) return bad("the port is a number from 1 to 65535");
  url.port = static_cast<std::uint16_t>(value);
  return {};
}

struct Parts {
  std::string_view host;  // with its brackets
  std::string_view port;
  std::string_view target;
};

/// Splits what follows the scheme's colon as RFC 3986 section 3 does. By hand, because
/// Boost.URL 1.81 ends an authority behind the first four numbers: it reads 1.2.3.4.example.com as
/// the host 1.2.3.4.
Result<Parts> split(std::string_view rest) {
  if (!rest.starts_with("//")) return bad("the URL has no host");
  rest.remove_prefix(2);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, end);
  std::string_view target = rest.substr(end);
  target = target.substr(0, target.find('#'));
  if (authority.find('@') != std::string_view::npos) {
    return bad("the URL holds credentials; put them into a header of the action");
  }
  std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  if (bracket != std::string_view::npos && colon != std::string_view::npos && colon < bracket) {
    colon = std::string_view::npos;
  }
  const bool has_port = colon != std::string_view::npos;
  return Parts{.host = authority.substr(0, colon),
               .port = has_port ? authority.substr(colon + 1) : std::string_view(),
               .target = target};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (auto checked = check_text(text); !checked) return std::unexpected(checked.error());
  const auto parsed = urls::parse_uri({text.data(), text.size()});
  if (!parsed) {
    if (text.find("%25") != std::string_view::npos && text.find('[') != std::string_view::npos) {
      return bad("the URL is malformed, or holds an IPv6 zone id (not supported)");
    }
    return bad(
        "the URL is malformed; it looks like https://host/path, with unusual characters "
        "percent-encoded");
  }
  Url url;
  const std::string scheme = lower({parsed->scheme().data(), parsed->scheme().size()});
  if (scheme != "http" && scheme != "https") {
    return bad(fmt::format("the scheme '{}' is not supported; use http or https",
                           scheme.substr(0, kLabelBytesMax)));
  }
  url.scheme = scheme == "http" ? Scheme::http : Scheme::https;
  const std::uint16_t usual_port = url.scheme == Scheme::http ? 80 : 443;
  url.port = usual_port;
  const auto parts = split(text.substr(scheme.size() + 1));
  if (!parts) return std::unexpected(parts.error());
  if (auto set = set_host(parts->host, url); !set) return std::unexpected(set.error());
  if (auto set = set_port(parts->port, url); !set) return std::unexpected(set.error());
  url.target = parts->target;
  if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
  const bool brackets = url.address && !url.address->is_v4();
  url.authority = brackets ? fmt::format("[{}]", url.host) : url.host;
  if (url.port != usual_port) url.authority += fmt::format(":{}", url.port);
  return url;
}

}  // namespace grapnel::http
