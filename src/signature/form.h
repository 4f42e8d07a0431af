// Parameters of URLs and forms (application/x-www-form-urlencoded), as far as signatures need them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/http.h"

namespace grapnel::signature {

/// Decoded, in order; nothing: more than kFormParametersMax. Escapes that are none stay.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text);

/// What follows the '?' of a URL or target; "" without one.
std::string_view query_of(std::string_view url);
/// The values of one parameter, decoded.
std::vector<std::string> parameter(std::string_view query, std::string_view name);

/// The sender's URL of a request: the source's public_url, with the request's query where it has
/// none itself; without a public_url what the request says (scheme, Host and target).
std::string url_of(const model::HttpRequest& request, std::string_view public_url);

/// Parameters sorted by name and value, names and values joined; of a parameter that comes often
/// each value once (Twilio, "Validate requests"). Nothing: too many.
std::optional<std::string> sorted_form(std::string_view body);

/// The URL without and with its port (the scheme's own where it names none): Twilio signs either.
std::vector<std::string> with_and_without_port(const std::string& url);

}  // namespace grapnel::signature
