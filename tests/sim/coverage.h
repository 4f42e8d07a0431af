// What runs of the simulation went through, counted: rows of the table "Delivery: states and
// transitions" of docs/SEMANTICS.md, and histories that must be met by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace grapnel::sim {

/// The table's rows, split where a row has several causes.
enum class Step : std::uint8_t {
  born_pending,
  born_dead_gone,
  born_dead_full,
  born_replay,
  pending_leased,
  retrying_leased,
  delivered,
  retrying,
  dead_no_tries,
  dead_final,
  dead_gone_running,
  handed_back,
  unknown,
  unknown_counts,
  retry_asked,
  pending_dead_gone,
  retrying_dead_gone,
  pending_cancelled,
  retrying_cancelled,
  pending_deleted,
  retrying_deleted,
  running_cancelled,
  running_deleted,
  success_beats_wish,
};
inline constexpr std::size_t kSteps = 24;

enum class History : std::uint8_t {
  late_gone,
  cancel_then_crash,
  delete_then_crash,
  bulk_replay_endpoint_down,
  release_races_new,
  ordered_unknown,
  restore_old_cursor,
  wall_jump_restart,
  full_in_flight,
  read_only_in_flight,
  late_outcome,
  late_answer,
  ran_alone,
  crash_before_commit,
  crash_after_commit,
  duplicate,
  swept,
  stalled_commits,
  refused_full,
  transformed,
  transform_dropped,
  transform_split,
  transform_dead,
  transform_again,
  transform_unknown,
};
inline constexpr std::size_t kHistories = 25;

struct Coverage {
  std::array<std::int64_t, kSteps> steps{};
  std::array<std::int64_t, kHistories> histories{};
  std::int64_t operations = 0;
  std::int64_t commits = 0;
  std::int64_t answers = 0;  ///< of endpoints, time-outs included
  std::int64_t crashes = 0;  ///< process deaths without a stop
  std::int64_t stops = 0;

  void count(Step step) { ++steps[static_cast<std::size_t>(step)]; }
  void count(History history) { ++histories[static_cast<std::size_t>(history)]; }
  /// One step of a run: an operation, a commit or an endpoint's answer.
  std::int64_t moves() const { return operations + commits + answers; }
  void add(const Coverage& other);
  /// The tables as text.
  std::string str() const;
  /// One line for each row that was never taken.
  std::string missing() const;
};

}  // namespace grapnel::sim
