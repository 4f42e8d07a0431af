#include "drivers/sqlite/seq_set.h"

#include <algorithm>
#include <utility>

namespace grapnel::sqlite {

using model::Seq;

Result<std::optional<Seq>> IndexSet::at_most(Seq most) {
  --budget_.left;
  auto query = db_.query(sql_);
  const auto row = query.bind(key_, most).next();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<Seq>{};
  return std::optional<Seq>(query.integer(0));
}

UnionSet::UnionSet(SeqSets parts) {
  parts_.reserve(parts.size());
  for (auto& part : parts) parts_.push_back({.set = std::move(part), .head = std::nullopt});
}

Result<std::optional<Seq>> UnionSet::at_most(Seq most) {
  std::optional<Seq> best;
  for (auto& part : parts_) {
    if (!part.asked || (part.head && *part.head > most)) {
      auto head = part.set->at_most(most);
      if (!head) return head;
      part.head = *head;
      part.asked = true;
    }
    if (part.head && (!best || *part.head > *best)) best = part.head;
  }
  return best;
}

FixedSet::FixedSet(std::vector<Seq> members) : members_(std::move(members)) {
  std::ranges::sort(members_);
}

Result<std::optional<Seq>> FixedSet::at_most(Seq most) {
  const auto above = std::ranges::upper_bound(members_, most);
  if (above == members_.begin()) return std::optional<Seq>{};
  return std::optional<Seq>(*std::prev(above));
}

Result<std::optional<Seq>> Walk::next() {
  std::size_t agreed = 0;  // sets in a row that have at_ as a member
  for (std::size_t i = 0; !ended_; i = (i + 1) % sets_.size()) {
    if (at_ < least_) break;
    if (budget_.spent()) return std::optional<Seq>{};
    const auto found = sets_[i]->at_most(at_);
    if (!found) return fail(found.error());
    if (!*found || **found < least_) break;
    agreed = **found == at_ ? agreed + 1 : 1;
    at_ = **found;
    if (agreed == sets_.size()) return std::optional<Seq>(at_--);
  }
  ended_ = true;
  return std::optional<Seq>{};
}

Result<Seq> first_from(Connection& db, std::string_view sql, Time time, Seq newest) {
  Seq low = 0;
  Seq high = newest + 1;
  auto query = db.query(sql);
  while (low < high) {
    const Seq middle = low + (high - low) / 2;
    query.reset();
    const auto row = query.bind(middle).next();
    if (!row) return fail(row.error());
    if (!*row || query.time(1) >= time) {
      high = middle;
    } else {
      low = query.integer(0) + 1;
    }
  }
  return low;
}

}  // namespace grapnel::sqlite
