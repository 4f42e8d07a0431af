// One seeded run of a whole pipeline over everything that can happen to it: events, people,
// endpoints, the store, crashes and time, drawn from a seed. The same seed is the same run.
//
//   operate(n)  n random operations; what must hold at every attempt is checked as it starts
//   recover()   endpoints good, store up, everything active: all work must end
//   check()     what must hold in the end
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "async/scope.h"
#include "pipeline/rig.h"

namespace grapnel::pipeline {

class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed);
  ~RandomRun();

  void operate(int operations);
  void recover();
  void check();

  /// What was broken, in words; empty: nothing.
  const std::vector<std::string>& broken() const { return broken_; }
  /// Everything that an outsider could see, in order.
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  /// How an endpoint answers now.
  enum class Behaviour : std::uint8_t { good, slow, failing, gone, hanging, reset, later };
  struct Endpoint {
    model::ActionId action;
    std::string name;
    Behaviour behaviour = Behaviour::good;
    bool permanent = true;  ///< never disabled or deleted: gets every event of its source
  };

  std::uint64_t pick(std::uint64_t bound) { return dice_.below(bound); }
  bool one_in(std::uint64_t odds) { return pick(odds) == 0; }
  void note(std::string line);
  void break_rule(std::string rule);

  // Operations
  void receive_some();
  void change_behaviour();
  void change_action();
  void change_source();
  void add_or_delete_action();
  void touch_delivery();
  void replay_many();
  void disturb_store();
  void let_time_pass();
  void restart();

  async::Task<> receive_one(std::string slug, std::string body, std::string key);
  template <class T>
  void beside(async::Task<T> task);
  template <class T>
  async::Task<> drop_answer(async::Task<T> task);
  void after_operation();
  void put(model::Action action);
  void put(model::Source source);
  model::Action new_action(const model::Source& source, const std::string& name);
  Endpoint* any_endpoint();

  doubles::ScriptedReply answer(const doubles::RecordedCall& call);
  void check_start(const doubles::RecordedCall& call);
  std::int64_t open_work() const;
  void check_event(const doubles::StoredEvent& event);

  SeededRandom dice_;
  Rig rig_;
  std::vector<model::SourceId> sources_;
  std::map<std::string, Endpoint> endpoints_;  ///< by name
  std::set<model::EventId> acknowledged_;
  std::map<model::DeliveryId, int> confirmed_;  ///< answers 2xx that an endpoint gave
  std::vector<std::string> broken_;
  std::vector<std::string> trace_;
  int serial_ = 0;
  doubles::Fate next_fate_ = doubles::Fate::commit;
  async::Scope people_{rig_.loop.get_executor()};
};

}  // namespace grapnel::pipeline
