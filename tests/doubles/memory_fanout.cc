// Fan-out by a transform: what its delivery brings about.
#include "base/check.h"
#include "doubles/memory_tables.h"
#include "model/transform.h"

namespace grapnel::doubles {

using namespace model;

std::vector<Appended> MemoryTables::end_transform(const StoredDelivery& row,
                                                  const FanoutResult& result) {
  using Kind = FanoutResult::Kind;
  StoredEvent& event = events_.at(row.delivery.event_seq);
  end_fanout(event, result.kind == Kind::dropped ? FanoutState::dropped : FanoutState::done);
  std::vector<Appended> born;
  if (result.kind == Kind::event) {
    if (result.transformed) keep_result(event, row.delivery.run, *result.transformed);
    born.push_back({.event = event.event.id,
                    .seq = event.event.seq,
                    .deliveries = make_deliveries(event, result.plan)});
  }
  const EventId parent = event.event.id;
  for (const EventDraft& draft : result.splits) born.push_back(add_split(draft, parent));
  return born;
}

void MemoryTables::keep_result(StoredEvent& event, int run, Transformed result) {
  if (!result.body_file.empty()) {
    const auto file = body_files_.find(result.body_file);
    GRAPNEL_CHECK(file != body_files_.end(), result.body_file);
    result.body = *file->second;
    result.body_file.clear();
    body_files_.erase(file);
  }
  event.results.insert_or_assign(run, std::move(result));
}

Appended MemoryTables::add_split(const EventDraft& given, EventId parent) {
  EventDraft draft = given;
  const std::shared_ptr<const std::string> body = take_body(draft);
  const Seq seq = next_seq();
  GRAPNEL_CHECK(event_ids_.emplace(draft.event.id, seq).second, draft.event.id.str());
  StoredEvent& row = events_[seq];
  row.event = std::move(draft.event);
  row.event.seq = seq;
  row.event.run = 1;
  row.event.body_size = body->size();
  row.event.parent = parent;
  row.body = body;
  end_fanout(row, draft.plan.state);
  Appended out{.event = row.event.id, .seq = seq};
  out.deliveries = make_deliveries(row, draft.plan);
  if (watcher_) watcher_->appended(row);
  return out;
}

StoredDelivery* MemoryTables::dead_transform(const StoredEvent& event) {
  for (const Seq seq : event.deliveries) {
    StoredDelivery& row = deliveries_.at(seq);
    const Delivery& d = row.delivery;
    if (d.action == transform_of(d.source) && d.state == DeliveryState::dead && !d.replayed_by) {
      return &row;
    }
  }
  return nullptr;
}

std::vector<Event> MemoryTables::splits(EventId parent) const {
  std::vector<Event> out;
  for (const auto& [seq, row] : events_) {
    if (row.event.parent == parent) out.push_back(row.event);
  }
  return out;
}

}  // namespace grapnel::doubles
