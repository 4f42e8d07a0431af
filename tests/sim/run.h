// One run of the simulation: the real pipeline over everything that can happen to it, drawn from a
// seed. The same seed is the same run, to the last line of its trace.
//
//   operate(n)  n random operations, judged as they happen
//   peace()     endpoints good, store up, everything active: all work must end
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/scope.h"
#include "sim/limits.h"
#include "sim/scripted.h"
#include "sim/world.h"

namespace grapnel::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  const Mutation* mutation = nullptr;  ///< null: none
  Trace::Keep keep = Trace::Keep::nothing;
};

struct Outcome {
  std::vector<std::string> broken;  ///< in words; empty: everything held
  std::vector<std::string> trace;
  Coverage coverage;
};

/// A whole run, up to the first rule that it breaks.
Outcome simulate(const RunOptions& options);

class Run {
 public:
  explicit Run(const RunOptions& options);
  ~Run();

  void operate(int operations);
  void peace();

  World& world() { return world_; }

 private:
  /// How an endpoint answers now.
  enum class Behaviour : std::uint8_t {
    good,
    slow,
    failing,
    refusing,  ///< 404
    gone,
    hanging,
    late,
    reset,
    later,  ///< 429 with a Retry-After
  };
  static constexpr std::uint64_t kBehaviours = 9;
  struct Endpoint {
    model::ActionId action;
    std::string name;
    Behaviour behaviour = Behaviour::good;
  };
  struct Operation {
    std::uint64_t weight;
    void (Run::*act)();
  };
  static const std::vector<Operation>& operations();

  std::uint64_t pick(std::uint64_t bound) { return dice_.below(bound); }
  bool one_in(std::uint64_t odds) { return pick(odds) == 0; }

  // What happens (operations.cc)
  void receive_some();
  void receive_some_for(std::size_t source);
  void change_behaviour();
  void change_action();
  void change_target_while_gone();
  void change_source();
  void release_under_load();
  void add_or_delete_action();
  void touch_delivery();
  void replay_many();
  void cancel_job();
  void break_store();
  void heal_store();
  void fail_a_commit();
  void hang_commits();
  void fail_reads();
  void let_time_pass();
  void jump_wall();
  void stop_and_start();
  void kill();
  void kill_again_and_again();
  void keep_backup();
  void restore_backup();
  void send_late_outcome();

  async::Task<> receive_one(model::SourceId source, std::string slug, std::string body,
                            std::string key);
  async::Task<> cancel_one(model::DeliveryId id);
  async::Task<> start_job(model::ReplayJob job);
  async::Task<> offer(model::Settlement late);
  async::Task<> take_cursor();
  async::Task<> try_cursor();
  template <class T>
  void beside(async::Task<T> task);
  template <class T>
  async::Task<> drop_answer(async::Task<T> task);

  doubles::Fate fate();
  void after_commit(const doubles::CommitInfo& info);
  void after_operation();
  void wait_for_peace_of_store();
  void open_everything();
  void wait_until_done();
  void died();
  void start_again();
  void commit_by_hand();
  void put(model::Action action);
  void put(model::Source source);
  void make_action(const model::Source& source, const std::string& name);
  Endpoint& any_endpoint();
  const doubles::StoredDelivery* any_delivery();
  Reply answer(const model::HttpCall& call);
  bool is_bad(model::ActionId action) const;

  SeededRandom dice_;
  World world_;
  std::vector<model::SourceId> sources_;
  std::map<std::string, Endpoint> endpoints_;  ///< by name
  std::vector<model::Settlement> late_;        ///< outcomes of processes that died
  std::optional<model::Cursor> cursor_;
  std::optional<model::JobId> job_;
  int serial_ = 0;
  Scripts scripts_ = Scripts::broken;
  int scripts_run_ = 0;
  std::vector<std::string> backups_;
  int hanging_ = 0;  ///< operations until hanging commits go on; 0: they do not hang
  bool wall_jumped_ = false;
  doubles::Fate next_fate_ = doubles::Fate::commit;
  async::Scope people_{world_.loop.get_executor()};
};

}  // namespace grapnel::sim
