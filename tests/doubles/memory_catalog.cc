// Catalog: lists for people, newest first.
#include <algorithm>

#include "crypto/digest.h"
#include "doubles/memory_tables.h"
#include "model/errors.h"

namespace grapnel::doubles {

using namespace model;
using model::errc;

namespace {

bool in_scope(const SourceScope& scope, SourceId source) {
  return scope.empty() || std::ranges::find(scope, source) != scope.end();
}

int page_size(int limit) { return std::clamp(limit, 1, kPageMax); }

/// Rows of an ordered map below the cursor, newest first, as long as the page has room. `make`
/// gives the item of a row that belongs to the list.
template <class Item, class Rows, class Make>
Page<Item> take_page(const Rows& rows, const std::optional<Cursor>& after, Cursor place, int limit,
                     Make make) {
  Page<Item> page;
  auto at = after ? rows.lower_bound(after->seq) : rows.end();
  while (at != rows.begin()) {
    --at;
    std::optional<Item> item = make(at->second);
    if (!item) continue;
    if (static_cast<int>(page.items.size()) == page_size(limit)) {
      page.next = place;
      return page;
    }
    page.items.push_back(std::move(*item));
    place.seq = at->first;
  }
  return page;
}

bool in_time(Time time, const std::optional<Time>& from, const std::optional<Time>& to) {
  return (!from || time >= *from) && (!to || time < *to);
}

}  // namespace

Result<> MemoryTables::check_cursor(const std::optional<Cursor>& cursor, char list) const {
  if (cursor && (cursor->generation != generation_ || cursor->list != list)) {
    return fail(errc::old_cursor);
  }
  return {};
}

Result<Page<Event>> MemoryTables::list(const EventQuery& query) const {
  if (const auto good = check_cursor(query.after, 'e'); !good) return fail(good.error());
  return take_page<Event>(events_, query.after, {.generation = generation_, .list = 'e'},
                          query.limit, [&](const StoredEvent& row) -> std::optional<Event> {
                            const Event& e = row.event;
                            const bool wanted = in_scope(query.scope, e.source) &&
                                                (!query.source || e.source == *query.source) &&
                                                (!query.type || e.type == *query.type) &&
                                                (!query.fanout || e.fanout == *query.fanout) &&
                                                in_time(e.received, query.from, query.to);
                            return wanted ? std::optional(e) : std::nullopt;
                          });
}

Result<std::optional<Event>> MemoryTables::event(EventId id, Catalog::WithBody body) const {
  const auto at = event_ids_.find(id);
  if (at == event_ids_.end()) return std::nullopt;
  const StoredEvent& row = events_.at(at->second);
  Event out = row.event;
  if (body == Catalog::WithBody::yes) {
    if (!row.body) return fail(errc::body_gone);
    if (crypto::sha256(*row.body) != out.body_sha256) return fail(errc::body_damaged);
    out.body = *row.body;
  }
  return out;
}

Result<Page<Delivery>> MemoryTables::list(const DeliveryQuery& query) const {
  if (const auto good = check_cursor(query.after, 'd'); !good) return fail(good.error());
  return take_page<Delivery>(
      deliveries_, query.after, {.generation = generation_, .list = 'd'}, query.limit,
      [&](const StoredDelivery& row) -> std::optional<Delivery> {
        const Delivery& d = row.delivery;
        const bool wanted = in_scope(query.scope, d.source) &&
                            (!query.event || d.event_seq == *query.event) &&
                            (!query.source || d.source == *query.source) &&
                            (!query.action || d.action == *query.action) &&
                            (query.states.empty() ||
                             std::ranges::find(query.states, d.state) != query.states.end()) &&
                            in_time(d.created, query.from, query.to);
        return wanted ? std::optional(d) : std::nullopt;
      });
}

std::optional<Delivery> MemoryTables::delivery(DeliveryId id) const {
  const auto at = delivery_ids_.find(id);
  if (at == delivery_ids_.end()) return std::nullopt;
  return deliveries_.at(at->second).delivery;
}

std::vector<Attempt> MemoryTables::attempts(Seq delivery) const {
  const auto at = deliveries_.find(delivery);
  return at == deliveries_.end() ? std::vector<Attempt>{} : at->second.attempts;
}

Result<Page<Delivery>> MemoryTables::list(const DeadQuery& query) const {
  if (const auto good = check_cursor(query.after, 'x'); !good) return fail(good.error());
  return take_page<Delivery>(dead_, query.after, {.generation = generation_, .list = 'x'},
                             query.limit, [&](Seq seq) -> std::optional<Delivery> {
                               const StoredDelivery& row = deliveries_.at(seq);
                               const bool wanted = in_scope(query.scope, row.delivery.source) &&
                                                   matches(query.filter, row);
                               return wanted ? std::optional(row.delivery) : std::nullopt;
                             });
}

std::int64_t MemoryTables::count_dead(const SourceScope& scope, const DeadFilter& filter) const {
  return std::ranges::count_if(dead_, [&](const auto& entry) {
    const StoredDelivery& row = deliveries_.at(entry.second);
    return in_scope(scope, row.delivery.source) && matches(filter, row);
  });
}

std::optional<Action> MemoryTables::action_at(ActionId id, Revision revision) const {
  const auto at = history_.find({id, revision});
  if (at == history_.end()) return std::nullopt;
  return at->second;
}

}  // namespace grapnel::doubles
