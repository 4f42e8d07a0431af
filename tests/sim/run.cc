#include "sim/run.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace grapnel::sim {

using doubles::Fate;
using model::DeliveryState;
using model::DesiredState;
using model::SourceMode;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr Mutation kNoMutation{};
constexpr Millis kTimeout{10'000};

}  // namespace

Outcome simulate(const RunOptions& options) {
  Run run(options);
  run.operate(kOperations);
  run.peace();
  const World& world = run.world();
  return {.broken = world.judge.broken(), .trace = world.trace.lines(), .coverage = world.coverage};
}

Run::Run(const RunOptions& options)
    : dice_(options.seed),
      world_(options.seed + 1, options.mutation ? *options.mutation : kNoMutation, options.keep,
             [this](const model::HttpCall& call) { return answer(call); }) {
  world_.store.on_durable([this](const doubles::CommitInfo& info) { after_commit(info); });
  for (const char* slug : {"plain", "ordered", "blocking", "made", "made-ordered"}) {
    model::Source source;
    source.id = world_.ids.make<model::SourceId>();
    source.slug = slug;
    if (source.slug.starts_with("made")) give_script(source);
    if (source.slug != "plain" && source.slug != "made") {
      source.ordering_key = model::Place{model::Place::Kind::pointer, "/k"};
    }
    if (source.slug == "blocking") source.held_bound.count = kSmallHeld;
    put(source);
    world_.settle();
    sources_.push_back(source.id);
    for (int i = 0; i < 2; ++i) {
      const auto name = fmt::format("{}-{}", slug, i);
      make_action(source, name);
      world_.judge.permanent(endpoints_[name].action);
    }
    world_.settle();
  }
  world_.sandbox.set_answer([this](const doubles::RecordedScriptCall& call) {
    return run_scripted(call, scripts_, ++scripts_run_);
  });
  world_.store.decide_commits([this](const doubles::CommitInfo&) { return fate(); });
}

Run::~Run() {
  world_.store.crash();
  if (world_.process) world_.end_process(async::Deadline(world_.timers.now()));
  world_.settle();
}

void Run::make_action(const model::Source& source, const std::string& name) {
  model::Action action;
  action.id = world_.ids.make<model::ActionId>();
  action.source = source.id;
  action.name = name;
  action.target_url = "http://endpoint.test/" + name;
  action.timeout = kTimeout;
  action.retry.schedule = {seconds{1}, seconds{5}};
  action.max_in_flight = 1 + static_cast<int>(pick(4));
  if (source.slug == "blocking") action.on_dead = model::OnDead::block;
  if (name == "plain-0") action.retry.policy = model::RetryOn::transient;
  if (name == "plain-1") action.backlog_bound.count = kSmallBacklog;
  if (name == "ordered-1") {
    action.backlog_bound.count = 4 * kSmallBacklog;
    action.on_full = model::OnFull::refuse;
  }
  endpoints_[name] = {.action = action.id, .name = name};
  beside(world_.store.commit({model::PutAction{std::move(action), 0}}));
}

template <class T>
async::Task<> Run::drop_answer(async::Task<T> task) {
  co_await std::move(task);
}

template <class T>
void Run::beside(async::Task<T> task) {
  people_.spawn(drop_answer(std::move(task)));
}

void Run::put(model::Action action) {
  const auto revision = action.revision;
  beside(world_.store.commit({model::PutAction{std::move(action), revision}}));
}

void Run::put(model::Source source) {
  const auto known = world_.store.snapshot()->find_source(source.id);
  const auto revision = known ? known->source.revision : 0;
  beside(world_.store.commit({model::PutSource{std::move(source), revision}}));
}

Fate Run::fate() {
  const Fate fate = std::exchange(next_fate_, Fate::commit);
  if (fate == Fate::crash_before) world_.coverage.count(History::crash_before_commit);
  if (fate == Fate::crash_after) world_.coverage.count(History::crash_after_commit);
  return fate;
}

void Run::after_commit(const doubles::CommitInfo& info) {
  if (std::ranges::find(info.calls, "step_job") != info.calls.end()) {
    const auto down = [this](model::ActionId action) { return is_bad(action); };
    if (std::ranges::any_of(world_.judge.new_replays(), down)) {
      world_.coverage.count(History::bulk_replay_endpoint_down);
    }
  }
  world_.judge.committed();
}

bool Run::is_bad(model::ActionId action) const {
  return std::ranges::any_of(endpoints_, [action](const auto& entry) {
    return entry.second.action == action && entry.second.behaviour != Behaviour::good;
  });
}

void Run::operate(int count) {
  std::uint64_t weights = 0;
  for (const Operation& operation : operations()) weights += operation.weight;
  for (int i = 0; i < count && world_.judge.broken().empty(); ++i) {
    std::uint64_t at = pick(weights);
    const Operation* chosen = operations().data();
    while (at >= chosen->weight) at -= (chosen++)->weight;
    ++world_.coverage.operations;
    (this->*chosen->act)();
    after_operation();
  }
}

/// Turns until nothing is ready; a store that crashed by itself takes its process with it.
void Run::after_operation() {
  world_.settle();
  if (hanging_ > 0) {
    if (one_in(3)) world_.store.commit_waiting();
    if (--hanging_ == 0) world_.store.set_commits(doubles::MemoryStore::Commits::each_turn);
    world_.settle();
  }
  if (!world_.store.is_crashed()) return;
  died();
  world_.end_process(async::Deadline(world_.timers.now()));
  start_again();
}

/// What is true of the store when its process dies.
void Run::died() {
  world_.trace.note("crash");
  ++world_.coverage.crashes;
  const auto& tables = world_.store.tables();
  bool wished = false;
  for (const auto& [seq, row] : tables.deliveries()) {
    if (row.delivery.state != DeliveryState::running) continue;
    wished |= row.delivery.cancel_wished;
    late_.push_back({.delivery = seq, .fence = row.fence});
  }
  bool deleting = false;
  for (const auto& [id, entry] : world_.store.snapshot()->sources) {
    for (const auto& action : entry->actions) {
      deleting |= action->deleting && world_.store.open_work(action->id).count() > 0;
    }
  }
  if (wished) world_.coverage.count(History::cancel_then_crash);
  if (deleting) world_.coverage.count(History::delete_then_crash);
}

void Run::start_again() {
  hanging_ = 0;
  world_.store.set_commits(doubles::MemoryStore::Commits::each_turn);
  if (std::exchange(wall_jumped_, false)) world_.coverage.count(History::wall_jump_restart);
  world_.reopen();
  world_.start_process();
  world_.settle();
}

// --- endpoints

Run::Endpoint& Run::any_endpoint() {
  return std::next(endpoints_.begin(), static_cast<std::ptrdiff_t>(pick(endpoints_.size())))
      ->second;
}

Reply Run::answer(const model::HttpCall& call) {
  const auto name = call.url.substr(call.url.rfind('/') + 1);
  const auto endpoint = endpoints_.find(name);
  const auto behaviour =
      endpoint == endpoints_.end() ? Behaviour::good : endpoint->second.behaviour;
  const Millis soon{pick(200)};
  switch (behaviour) {
    case Behaviour::good: break;
    case Behaviour::slow: return {.delay = seconds{1 + pick(8)}};
    case Behaviour::failing: return {.status = 500, .delay = soon};
    case Behaviour::refusing: return {.status = 404, .delay = soon};
    case Behaviour::gone: return {.status = 410, .delay = seconds{pick(5)}};
    case Behaviour::hanging: return {.delay = hours{1}};
    case Behaviour::late: return {.delay = kTimeout - seconds{1} + seconds{pick(3)}};
    case Behaviour::reset: return {.status = 0, .delay = soon};
    case Behaviour::later:
      return {.status = 429, .delay = soon, .retry_after = static_cast<int>(pick(30))};
  }
  return {.delay = soon};
}

// --- peace

void Run::peace() {
  World& world = world_;
  if (!world.judge.broken().empty()) return;
  wait_for_peace_of_store();
  world.pass(kCalm);
  world.judge.calm();
  for (auto& [name, endpoint] : endpoints_) endpoint.behaviour = Behaviour::good;
  scripts_ = Scripts::mended;
  open_everything();
  wait_until_done();
  world.trace.note("peace");
  if (!world.process->dispatcher().store_is_up()) {
    world.judge.break_rule("the store is still thought to be down");
  }
  world.judge.expect_no_refusals();
  for (std::size_t source = 0; source < sources_.size(); ++source) receive_some_for(source);
  world.settle();
  wait_until_done();
  world.pass(minutes{1});
  world.judge.end();
  const auto& dispatcher = world.process->dispatcher();
  if (dispatcher.attempts_in_flight() != 0)
    world.judge.break_rule("attempts are counted that ended");
  if (!dispatcher.store_is_up()) world.judge.break_rule("the store is thought to be down");
  if (dispatcher.lanes() > world.store.snapshot()->action_sources.size()) {
    world.judge.break_rule("the dispatcher keeps actions that are no more");
  }
  if (people_.running() > 0) world.judge.break_rule("somebody was never answered");
}

void Run::wait_until_done() {
  for (int turn = 0; turn < kPeaceTurns && world_.judge.open_work() > 0; ++turn) {
    // Somebody lets every blocked ordering key go on.
    for (const auto& [seq, row] : world_.store.tables().deliveries()) {
      const auto& delivery = row.delivery;
      if (delivery.state != DeliveryState::dead || delivery.skipped || !row.key) continue;
      beside(world_.store.skip(delivery.id));
    }
    world_.pass(seconds{5});
    if (!world_.judge.broken().empty()) return;
  }
}

void Run::wait_for_peace_of_store() {
  world_.store.set_outage(std::nullopt);
  world_.log.set_reads(SimLog::Reads::good);
  next_fate_ = Fate::commit;
  hanging_ = 0;
  world_.store.set_commits(doubles::MemoryStore::Commits::each_turn);
  after_operation();
}

/// What is active stays untouched: a change would wake what a lost wake-up left asleep.
void Run::open_everything() {
  const auto snapshot = world_.store.snapshot();
  for (const auto& [id, entry] : snapshot->sources) {
    for (const auto& known : entry->actions) {
      const bool open =
          known->desired == DesiredState::active && known->health != model::Health::gone;
      if (open || known->deleting) continue;
      model::Action action = *known;
      action.desired = DesiredState::active;
      action.health = model::Health::ok;
      put(std::move(action));
    }
  }
  world_.settle();
  for (const auto id : sources_) {
    model::Source source = world_.store.snapshot()->find_source(id)->source;
    if (source.mode == SourceMode::active) continue;
    source.mode = SourceMode::active;
    put(std::move(source));
  }
  world_.settle();
}

// --- templates are used in operations.cc, too
template void Run::beside(async::Task<Result<model::Delivery>> task);
template void Run::beside(async::Task<Result<model::ReplayJob>> task);
template void Run::beside(async::Task<Result<model::SnapshotPtr>> task);
template void Run::beside(async::Task<Result<std::vector<Result<model::Delivery>>>> task);

}  // namespace grapnel::sim
