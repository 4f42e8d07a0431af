#include "drivers/sqlite/seq_set.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace grapnel::sqlite {
namespace {

using model::Seq;

std::unique_ptr<SeqSet> fixed(std::vector<Seq> members) {
  return std::make_unique<FixedSet>(std::move(members));
}

template <class... Sets>
SeqSets sets_of(Sets... sets) {
  SeqSets out;
  (out.push_back(std::move(sets)), ...);
  return out;
}

std::vector<Seq> all_of(Walk& walk) {
  std::vector<Seq> out;
  for (;;) {
    const auto at = walk.next();
    if (!at || !*at) return out;
    out.push_back(**at);
  }
}

/// Every question costs one and fails when asked to.
class CostlySet final : public SeqSet {
 public:
  CostlySet(Budget& budget, std::vector<Seq> members) : budget_(budget), set_(std::move(members)) {}
  Result<std::optional<Seq>> at_most(Seq most) override {
    --budget_.left;
    ++asked;
    return set_.at_most(most);
  }
  int asked = 0;

 private:
  Budget& budget_;
  FixedSet set_;
};

class FailingSet final : public SeqSet {
 public:
  Result<std::optional<Seq>> at_most(Seq) override {
    return fail(Error{std::make_error_code(std::errc::io_error), "disk"});
  }
};

TEST(Walk, TellsTheErrorOfASet) {
  Budget budget{100};
  Walk walk(sets_of(fixed({1, 2}), std::make_unique<FailingSet>()), budget, 10, 0);
  EXPECT_FALSE(walk.next());
}

TEST(Walk, GivesWhatIsInEverySetFallingAndOnce) {
  Budget budget{1'000};
  Walk walk(sets_of(fixed({1, 3, 5, 7, 9}), fixed({1, 2, 3, 7, 8}), fixed({3, 7, 1})), budget, 100,
            0);
  EXPECT_EQ(all_of(walk), (std::vector<Seq>{7, 3, 1}));
  EXPECT_TRUE(walk.ended());
}

TEST(Walk, KeepsWithinItsRange) {
  Budget budget{1'000};
  Walk walk(sets_of(fixed({1, 2, 3, 4, 5})), budget, 4, 2);
  EXPECT_EQ(all_of(walk), (std::vector<Seq>{4, 3, 2}));
  Walk nothing(sets_of(fixed({1, 9})), budget, 4, 2);
  EXPECT_TRUE(all_of(nothing).empty());
  EXPECT_TRUE(nothing.ended());
}

TEST(Walk, StopsWhenTheBudgetIsSpentAndGoesOnWhereItStopped) {
  std::vector<Seq> odd;
  std::vector<Seq> even;
  for (Seq i = 0; i < 1'000; ++i) (i % 2 == 0 ? even : odd).push_back(i);
  odd.push_back(0);  // the only one in both
  Budget budget{100};
  Walk walk(
      sets_of(std::make_unique<CostlySet>(budget, odd), std::make_unique<CostlySet>(budget, even)),
      budget, 999, 0);
  const auto at = walk.next();
  ASSERT_TRUE(at);
  EXPECT_FALSE(*at);
  EXPECT_FALSE(walk.ended());
  EXPECT_LT(walk.position(), 999);
  budget.left = 10'000;
  EXPECT_EQ(all_of(walk), (std::vector<Seq>{0}));
}

TEST(Walk, CostsAboutTheSmallerSet) {
  std::vector<Seq> many;
  for (Seq i = 0; i < 100'000; ++i) many.push_back(i);
  Budget budget{1'000};
  Walk walk(sets_of(std::make_unique<CostlySet>(budget, many),
                    std::make_unique<CostlySet>(budget, std::vector<Seq>{5, 50'000, 99'999})),
            budget, 100'000, 0);
  EXPECT_EQ(all_of(walk), (std::vector<Seq>{99'999, 50'000, 5}));
  EXPECT_GT(budget.left, 980);
}

TEST(UnionSet, IsWhatAnyPartHas) {
  UnionSet both(sets_of(fixed({1, 4, 9}), fixed({2, 4}), fixed({})));
  std::vector<Seq> got;
  for (Seq most = 100;;) {
    const auto at = both.at_most(most);
    ASSERT_TRUE(at);
    if (!*at) break;
    got.push_back(**at);
    most = **at - 1;
  }
  EXPECT_EQ(got, (std::vector<Seq>{9, 4, 2, 1}));
}

TEST(UnionSet, AsksAPartAgainOnlyWhenItsHeadWasTaken) {
  Budget budget{1'000};
  auto old = std::make_unique<CostlySet>(budget, std::vector<Seq>{1});
  const CostlySet* watched = old.get();
  UnionSet both(sets_of(std::move(old), fixed({10, 20, 30, 40})));
  for (const Seq most : {50, 39, 29, 19, 9}) ASSERT_TRUE(both.at_most(most));
  EXPECT_EQ(watched->asked, 1);
}

TEST(FirstFrom, FindsTheEdgeInASequenceWithGaps) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "first_from.db";
  std::filesystem::remove(folder);
  auto db = Connection::open(
      {.path = folder.string(), .vfs = {}, .access = Access::read_write, .cache_bytes = 1 << 20});
  ASSERT_TRUE(db);
  ASSERT_TRUE((*db)->execute(
      "CREATE TABLE t(seq INTEGER PRIMARY KEY, ms INTEGER);"
      "INSERT INTO t VALUES(5, 100), (6, 100), (4294967301, 200), (4294967309, 300)"));
  constexpr std::string_view kSql = "SELECT seq, ms FROM t WHERE seq >= ?1 ORDER BY seq LIMIT 1";
  constexpr Seq kNewest = 4'294'967'309;
  const auto from = [&](std::int64_t ms) {
    return first_from(**db, kSql, Time{Millis{ms}}, kNewest).value();
  };
  const auto holds = [&](Seq first, std::int64_t ms) {
    // Everything from `first` on is not before ms, everything below is.
    const std::string sql = "SELECT count(*) FROM t WHERE (seq >= " + std::to_string(first) +
                            ") <> (ms >= " + std::to_string(ms) + ")";
    return (*db)->scalar(sql).value() == 0;
  };
  for (const std::int64_t ms : {0, 99, 100, 101, 200, 250, 300, 301}) {
    EXPECT_TRUE(holds(from(ms), ms)) << ms;
  }
  EXPECT_GT(from(301), kNewest);
  std::filesystem::remove(folder);
}

}  // namespace
}  // namespace grapnel::sqlite
