#include "pipeline/redact.h"

#include <algorithm>

#include "base/hex.h"

namespace grapnel::pipeline {
namespace {

bool is_secret_parameter(const model::Source& source, std::string_view name) {
  const std::string plain = form_decode(name);  // `tok%65n` is `token`
  const auto is_it = [&](const std::string& secret) { return model::same_name(secret, plain); };
  return std::ranges::any_of(source.secret_query, is_it) ||
         std::ranges::any_of(source.inbound.secret_query, is_it);
}

}  // namespace

void redact_headers(const model::Source& source, const crypto::KeyedDigest& digest,
                    model::HeaderList& headers) {
  for (auto& header : headers) {
    if (model::is_secret_header(source, header.name)) header.value = digest.text_of(header.value);
  }
}

std::string redact_target(const model::Source& source, const crypto::KeyedDigest& digest,
                          std::string_view target) {
  const auto question = target.find('?');
  const bool has_none = source.secret_query.empty() && source.inbound.secret_query.empty();
  if (has_none || question == std::string_view::npos) return std::string(target);
  std::string out(target.substr(0, question + 1));
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && is_secret_parameter(source, pair.substr(0, equals))) {
      out += pair.substr(0, equals + 1);
      out += digest.text_of(pair.substr(equals + 1));
    } else {
      out += pair;
    }
    if (end == std::string_view::npos) break;
    out += '&';
    rest.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace grapnel::pipeline
