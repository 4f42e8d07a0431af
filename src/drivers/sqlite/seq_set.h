// Lists as sets of sequence numbers. Each filter of a list is a set that can be asked for its
// largest member up to a number (one seek in one index); a walk goes down through what is in all of
// them:
//
//   action = 7      …  91   88 87        80     72
//   state = dead    …     90   87   85         72    60
//   the walk        …          87              72
//
// A walk takes about as many seeks as the smallest set has members. So a page costs the same
// wherever it stands and however large the store is. What no set can say is left to the reading of
// the row itself; a budget of seeks bounds the whole, and a page may then end early.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/statement.h"
#include "model/ids.h"

namespace grapnel::sqlite {

/// Seeks and row reads that a page may still make.
struct Budget {
  int left = 0;
  bool spent() const { return left <= 0; }
};

class SeqSet {
 public:
  virtual ~SeqSet() = default;
  /// The largest member that is not above `most`.
  virtual Result<std::optional<model::Seq>> at_most(model::Seq most) = 0;
};
using SeqSets = std::vector<std::unique_ptr<SeqSet>>;

/// One index. `sql` is a literal that selects one number: … WHERE x = ?1 AND seq <= ?2 ORDER BY seq
/// DESC LIMIT 1.
class IndexSet final : public SeqSet {
 public:
  IndexSet(Connection& db, Budget& budget, std::string_view sql, std::int64_t key = 0)
      : db_(db), budget_(budget), sql_(sql), key_(key) {}
  Result<std::optional<model::Seq>> at_most(model::Seq most) override;

 private:
  Connection& db_;
  Budget& budget_;
  const std::string_view sql_;
  const std::int64_t key_;
};

/// What is in any of its parts. Asked with falling numbers only.
class UnionSet final : public SeqSet {
 public:
  explicit UnionSet(SeqSets parts);
  Result<std::optional<model::Seq>> at_most(model::Seq most) override;

 private:
  struct Part {
    std::unique_ptr<SeqSet> set;
    std::optional<model::Seq> head;  // largest member up to the last number asked for
    bool asked = false;
  };
  std::vector<Part> parts_;
};

/// A few numbers in memory.
class FixedSet final : public SeqSet {
 public:
  explicit FixedSet(std::vector<model::Seq> members);
  Result<std::optional<model::Seq>> at_most(model::Seq most) override;

 private:
  std::vector<model::Seq> members_;  // ascending
};

/// Goes down from `most` to `least` through the numbers that are in every set; at least one set.
class Walk {
 public:
  Walk(SeqSets sets, Budget& budget, model::Seq most, model::Seq least)
      : sets_(std::move(sets)), budget_(budget), at_(most), least_(least) {}

  /// The next number; nothing at the end or when the budget is spent (then position() is where to
  /// go on).
  Result<std::optional<model::Seq>> next();
  bool ended() const { return ended_; }
  model::Seq position() const { return at_; }

 private:
  SeqSets sets_;
  Budget& budget_;
  model::Seq at_;
  const model::Seq least_;
  bool ended_ = false;
};

/// The smallest number whose time is not before `time`, in a sequence whose times grow. `sql`
/// selects number and time of the first row from ?1 on. `newest` is the largest number there is.
Result<model::Seq> first_from(Connection& db, std::string_view sql, Time time, model::Seq newest);

}  // namespace grapnel::sqlite
