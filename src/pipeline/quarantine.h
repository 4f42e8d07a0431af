// Requests that did not verify, kept for a while for the source's owner to look at. In memory,
// bounded, secrets replaced by digests; the oldest goes first.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "crypto/keyed_digest.h"
#include "model/event.h"
#include "model/http.h"
#include "model/source.h"
#include "signature/rejection.h"

namespace grapnel::pipeline {

struct QuarantineTag {
  static constexpr std::string_view kPrefix = "qrn_";
};
using QuarantineId = Id<QuarantineTag>;

struct Quarantined {
  std::string id;  ///< qrn_…
  model::SourceId source;
  Time received;
  signature::Rejected why;
  model::HttpRequest request;  ///< redacted; the body is empty where it is too large to keep
  std::uint64_t body_size = 0;
  bool has_body = true;
};
using QuarantinedPtr = std::shared_ptr<const Quarantined>;

/// Used on the loop's thread.
class Quarantine {
 public:
  /// Both outlive this object.
  Quarantine(IdSource& ids, const crypto::KeyedDigest& digest) : ids_(ids), digest_(digest) {}

  /// Does nothing for a source that keeps none.
  void add(const model::Source& source, model::HttpRequest request, const signature::Rejected& why,
           Time now);
  /// Newest first.
  std::vector<QuarantinedPtr> of(model::SourceId source) const;
  QuarantinedPtr find(model::SourceId source, std::string_view id) const;
  /// Forgets those of a source; how many.
  std::size_t clear(model::SourceId source);

  std::size_t bytes() const { return bytes_; }

 private:
  std::deque<QuarantinedPtr>::iterator oldest_of_largest();
  void drop(std::deque<QuarantinedPtr>::iterator at);

  IdSource& ids_;
  const crypto::KeyedDigest& digest_;
  std::deque<QuarantinedPtr> kept_;  // oldest first
  std::size_t bytes_ = 0;
};

}  // namespace grapnel::pipeline
