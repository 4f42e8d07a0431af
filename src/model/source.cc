#include "model/source.h"

#include <algorithm>

#include "model/headers.h"

namespace grapnel::model {

const std::vector<Place>& default_idempotency_places() {
  static const std::vector<Place> places{
      {Place::Kind::header, "X-Idempotency-Key"},
      {Place::Kind::header, "Idempotency-Key"},
      {Place::Kind::header, "webhook-id"},
      {Place::Kind::header, "X-GitHub-Delivery"},
      {Place::Kind::header, "ce-id"},
  };
  return places;
}

const std::vector<std::string>& default_secret_headers() {
  static const std::vector<std::string> names{"Authorization", "Proxy-Authorization", "Cookie",
                                              "X-Api-Key", "X-Gitlab-Token"};
  return names;
}

bool is_secret_header(const Source& source, std::string_view name) {
  const auto same = [name](const std::string& secret) { return same_name(secret, name); };
  return std::ranges::any_of(default_secret_headers(), same) ||
         std::ranges::any_of(source.secret_headers, same) ||
         std::ranges::any_of(source.inbound.secret_headers, same);
}

}  // namespace grapnel::model
