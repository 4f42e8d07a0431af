#include "model/source.h"

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

}  // namespace grapnel::model
