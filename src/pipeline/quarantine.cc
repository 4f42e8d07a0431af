#include "pipeline/quarantine.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/limits.h"
#include "pipeline/redact.h"

namespace grapnel::pipeline {
namespace {

std::size_t bytes_of(const Quarantined& one) {
  std::size_t bytes = sizeof(Quarantined) + one.request.target.size() + one.request.body.size();
  for (const auto& header : one.request.headers) {
    bytes += sizeof(model::Header) + header.name.size() + header.value.size();
  }
  return bytes;
}

}  // namespace

void Quarantine::add(const model::Source& source, model::HttpRequest request,
                     const signature::Rejected& why, Time now) {
  const auto most = static_cast<std::size_t>(std::max(0, source.inbound.quarantine));
  const auto is_ours = [&](const QuarantinedPtr& one) { return one->source == source.id; };
  if (most == 0) return;
  while (static_cast<std::size_t>(std::ranges::count_if(kept_, is_ours)) >= most) {
    drop(std::ranges::find_if(kept_, is_ours));
  }
  Quarantined one{.id = ids_.make<QuarantineId>().str(),
                  .source = source.id,
                  .received = now,
                  .why = why,
                  .request = std::move(request)};
  one.body_size = one.request.body.size();
  if (one.body_size > kQuarantineBodyBytesMax) {
    one.has_body = false;
    one.request.body.clear();
    one.request.body.shrink_to_fit();
  }
  redact_headers(source, digest_, one.request.headers);
  one.request.target = redact_target(source, digest_, one.request.target);
  bytes_ += bytes_of(one);
  kept_.push_back(std::make_shared<const Quarantined>(std::move(one)));
  while (kept_.size() > kQuarantinedMax || bytes_ > kQuarantineBytesMax) drop(oldest_of_largest());
}

/// A flood of one source takes the place of its own, not of others'.
std::deque<QuarantinedPtr>::iterator Quarantine::oldest_of_largest() {
  std::map<model::SourceId, std::size_t> bytes;
  for (const auto& one : kept_) bytes[one->source] += bytes_of(*one);
  const auto largest =
      std::ranges::max_element(bytes, {}, [](const auto& entry) { return entry.second; });
  return std::ranges::find_if(
      kept_, [&](const QuarantinedPtr& one) { return one->source == largest->first; });
}

void Quarantine::drop(std::deque<QuarantinedPtr>::iterator at) {
  bytes_ -= bytes_of(**at);
  kept_.erase(at);
}

std::vector<QuarantinedPtr> Quarantine::of(model::SourceId source) const {
  std::vector<QuarantinedPtr> out;
  std::copy_if(kept_.rbegin(), kept_.rend(), std::back_inserter(out),
               [&](const QuarantinedPtr& one) { return one->source == source; });
  return out;
}

QuarantinedPtr Quarantine::find(model::SourceId source, std::string_view id) const {
  const auto found = std::ranges::find_if(
      kept_, [&](const QuarantinedPtr& one) { return one->source == source && one->id == id; });
  return found == kept_.end() ? nullptr : *found;
}

std::size_t Quarantine::clear(model::SourceId source) {
  const std::size_t before = kept_.size();
  for (auto at = kept_.begin(); at != kept_.end();) {
    if ((*at)->source != source) {
      ++at;
      continue;
    }
    bytes_ -= bytes_of(**at);
    at = kept_.erase(at);
  }
  return before - kept_.size();
}

}  // namespace grapnel::pipeline
