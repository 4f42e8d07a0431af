#include "model/headers.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace grapnel::model {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_credential_word(std::string_view word) {
  // Written together too: X-AccessToken, ApiSecret.
  static constexpr std::array<std::string_view, 9> kParts{"auth",   "token",      "secret",
                                                          "passw",  "passphrase", "credential",
                                                          "cookie", "session",    "bearer"};
  static constexpr std::array<std::string_view, 6> kWords{"jwt",  "sas",      "pwd",
                                                          "pass", "passcode", "otp"};
  std::string low(word);
  std::ranges::transform(low, low.begin(), lower);
  return low.ends_with("key") || std::ranges::find(kWords, low) != kWords.end() ||
         std::ranges::any_of(
             kParts, [&low](std::string_view part) { return low.find(part) != std::string::npos; });
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> find_header(const HeaderList& headers, std::string_view name) {
  for (const auto& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

void remove_header(HeaderList& headers, std::string_view name) {
  std::erase_if(headers, [name](const Header& header) { return same_name(header.name, name); });
}

bool is_hop_by_hop(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kNames{"Connection",
                                                          "Keep-Alive",
                                                          "Proxy-Connection",
                                                          "Proxy-Authenticate",
                                                          "Proxy-Authorization",
                                                          "TE",
                                                          "Transfer-Encoding",
                                                          "Trailer",
                                                          "Upgrade"};
  return std::ranges::any_of(kNames,
                             [name](std::string_view known) { return same_name(known, name); });
}

bool is_header_name(std::string_view name) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_credential_name(std::string_view name) {
  if (same_name(name, "Idempotency-Key") || same_name(name, "X-Idempotency-Key")) return false;
  std::string_view rest = name;
  while (!rest.empty()) {
    const auto end = rest.find_first_of("-_.");
    if (is_credential_word(rest.substr(0, end))) return true;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return false;
}

std::string shown_value(const Header& header) {
  const bool secret = is_credential_name(header.name) && !header.value.starts_with("digest:");
  return secret ? "[cut]" : valid_utf8(header.value);
}

bool is_header_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

}  // namespace grapnel::model
