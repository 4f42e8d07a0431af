// Header fields as a list: in order, duplicates and letter case kept (RFC 9110 section 5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grapnel::model {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};
using HeaderList = std::vector<Header>;

/// Compares ASCII letters without regard to case (RFC 9110 section 5.1).
bool same_name(std::string_view a, std::string_view b);
/// The first value of that name.
std::optional<std::string_view> find_header(const HeaderList& headers, std::string_view name);
/// Removes every field of that name.
void remove_header(HeaderList& headers, std::string_view name);
/// RFC 9110 section 7.6.1, and those that Connection itself names.
bool is_hop_by_hop(std::string_view name);
/// A token of RFC 9110 section 5.6.2.
bool is_header_name(std::string_view name);
/// Whether a header of that name usually carries a credential: one of its words is auth, token,
/// secret, password, cookie, … or ends in "key", and it is no idempotency key.
bool is_credential_name(std::string_view name);
/// As pages show it: valid UTF-8, and "[cut]" where the name is a credential's and the value not a
/// digest already.
std::string shown_value(const Header& header);
/// Visible characters, spaces, tabs and obs-text; no CR, LF or NUL.
bool is_header_value(std::string_view value);

}  // namespace grapnel::model
