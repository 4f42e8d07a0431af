// What can happen, and how often.
#include <algorithm>
#include <iterator>

#include "model/errors.h"
#include "sim/run.h"

namespace grapnel::sim {

using doubles::Fate;
using model::DesiredState;
using model::SourceMode;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t kKeys = 8;
constexpr std::uint64_t kOrderingKeys = 3;
constexpr std::uint64_t kBurst = 24;
constexpr std::size_t kLateMax = 32;
constexpr int kKillsInARow = 8;
constexpr const char* kSlugs[] = {"plain", "ordered", "blocking", "made", "made-ordered"};

}  // namespace

const std::vector<Run::Operation>& Run::operations() {
  static const std::vector<Operation> kAll{{260, &Run::receive_some},
                                           {120, &Run::change_behaviour},
                                           {60, &Run::change_action},
                                           {50, &Run::change_source},
                                           {15, &Run::release_under_load},
                                           {10, &Run::change_target_while_gone},
                                           {40, &Run::add_or_delete_action},
                                           {100, &Run::touch_delivery},
                                           {30, &Run::replay_many},
                                           {4, &Run::cancel_job},
                                           {30, &Run::break_store},
                                           {30, &Run::heal_store},
                                           {40, &Run::fail_a_commit},
                                           {15, &Run::hang_commits},
                                           {10, &Run::fail_reads},
                                           {270, &Run::let_time_pass},
                                           {8, &Run::jump_wall},
                                           {20, &Run::stop_and_start},
                                           {20, &Run::kill},
                                           {2, &Run::kill_again_and_again},
                                           {12, &Run::keep_backup},
                                           {5, &Run::restore_backup},
                                           {20, &Run::send_late_outcome}};
  return kAll;
}

// --- events

void Run::receive_some() { receive_some_for(pick(std::size(kSlugs))); }

void Run::receive_some_for(std::size_t which) {
  // Now and then more than an action may have leased ahead.
  for (auto i = one_in(40) ? kBurst : 1 + pick(5); i > 0; --i) {
    std::string body = fmt::format(R"({{"k":{},"n":{}}})", pick(kOrderingKeys), ++serial_);
    if (one_in(100)) body.append(model::kBodyInlineBytesMax, ' ');
    const std::string key = one_in(4) ? fmt::format("key-{}", pick(kKeys)) : "";
    const bool twice = !key.empty() && one_in(3);
    people_.spawn(receive_one(sources_[which], kSlugs[which], body, key));
    if (twice) people_.spawn(receive_one(sources_[which], kSlugs[which], body, key));
  }
}

async::Task<> Run::receive_one(model::SourceId source, std::string slug, std::string body,
                               std::string key) {
  model::HttpRequest request{.method = "POST", .target = "/webhooks/" + slug};
  request.body = std::move(body);
  if (!key.empty()) request.headers.push_back({"Idempotency-Key", key});
  const auto receipt = co_await world_.process->ingest().receive(slug, std::move(request));
  if (!receipt) {
    world_.trace.note("refused {} {}", slug, receipt.error().detail);
    world_.judge.refused(receipt.error());
    co_return;
  }
  world_.trace.note("{} {} {}", slug, static_cast<int>(receipt->admission), receipt->event.str());
  world_.judge.acknowledged(*receipt, {source, std::move(key)});
}

// --- people

void Run::change_behaviour() {
  Endpoint& endpoint = any_endpoint();
  // A 410 ends an action's whole backlog: rare, or nothing else would happen.
  endpoint.behaviour = static_cast<Behaviour>(pick(kBehaviours));
  if (endpoint.behaviour == Behaviour::gone && !one_in(3)) endpoint.behaviour = Behaviour::failing;
}

void Run::change_action() {
  Endpoint& endpoint = any_endpoint();
  const auto known = world_.store.snapshot()->find_action(endpoint.action);
  if (!known || known->deleting) return;
  model::Action action = *known;
  switch (pick(4)) {
    case 0: action.desired = DesiredState::paused; break;
    case 1: action.max_in_flight = 1 + static_cast<int>(pick(6)); break;
    case 2:
      action.target_url = fmt::format("http://endpoint.test/{}/{}", ++serial_, endpoint.name);
      break;
    default:
      action.desired = DesiredState::active;
      if (one_in(2)) action.health = model::Health::ok;
      break;
  }
  put(std::move(action));
}

/// Its answers of 410 are on their way when the target changes.
void Run::change_target_while_gone() {
  Endpoint& endpoint = any_endpoint();
  const auto known = world_.store.snapshot()->find_action(endpoint.action);
  if (!known || known->deleting) return;
  endpoint.behaviour = Behaviour::gone;
  const auto source = std::ranges::find(sources_, known->source);
  receive_some_for(static_cast<std::size_t>(source - sources_.begin()));
  world_.pass(Millis{500});
  const auto now = world_.store.snapshot()->find_action(endpoint.action);
  if (!now || now->deleting) return;
  model::Action action = *now;
  action.target_url = fmt::format("http://endpoint.test/{}/{}", ++serial_, endpoint.name);
  put(std::move(action));
}

void Run::change_source() {
  const auto id = sources_[pick(sources_.size())];
  model::Source source = world_.store.snapshot()->find_source(id)->source;
  source.mode = one_in(2)   ? SourceMode::active
                : one_in(4) ? SourceMode::record
                            : SourceMode::paused;
  put(std::move(source));
}

/// A paused source is active again while it receives.
void Run::release_under_load() {
  const auto which = pick(std::size(kSlugs));
  model::Source source = world_.store.snapshot()->find_source(sources_[which])->source;
  source.mode = source.mode == SourceMode::paused ? SourceMode::active : SourceMode::paused;
  put(std::move(source));
  receive_some_for(which);
}

void Run::add_or_delete_action() {
  const std::string name = fmt::format("extra-{}", pick(3));
  const auto known = endpoints_.find(name);
  if (known == endpoints_.end()) {
    const auto id = sources_[pick(sources_.size())];
    make_action(world_.store.snapshot()->find_source(id)->source, name);
    endpoints_[name].behaviour = static_cast<Behaviour>(pick(kBehaviours - 1));
  } else if (const auto action = world_.store.snapshot()->find_action(known->second.action)) {
    model::Action changed = *action;
    changed.deleting = true;
    if (!action->deleting) put(std::move(changed));
  } else {
    endpoints_.erase(known);
  }
}

const doubles::StoredDelivery* Run::any_delivery() {
  const auto& all = world_.store.tables().deliveries();
  if (all.empty()) return nullptr;
  // The newest are the most likely to be open.
  const auto back = pick(one_in(2) ? std::min<std::size_t>(all.size(), 12) : all.size());
  return &std::prev(all.end(), static_cast<std::ptrdiff_t>(back) + 1)->second;
}

void Run::touch_delivery() {
  const auto* row = any_delivery();
  if (!row) return;
  const model::DeliveryId id = row->delivery.id;
  switch (pick(4)) {
    case 0:
      world_.judge.cancel_asked(id);
      people_.spawn(cancel_one(id));
      break;
    case 1:
      world_.judge.retry_asked(id);
      beside(world_.store.retry_now(id));
      break;
    case 2: beside(world_.store.skip(id)); break;
    default:
      beside(
          world_.store.replay({{.original = id, .replay = world_.ids.make<model::DeliveryId>()}}));
      break;
  }
}

async::Task<> Run::cancel_one(model::DeliveryId id) {
  const auto answer = co_await world_.store.cancel({id});
  if (answer && answer->front()) world_.judge.cancel_answered(id, *answer->front());
}

void Run::replay_many() {
  model::ReplayJob job{.id = world_.ids.make<model::JobId>(),
                       .per_second = one_in(2) ? 0.0 : 0.5 + static_cast<double>(pick(20))};
  if (one_in(2)) job.filter.action = any_endpoint().action;
  people_.spawn(start_job(std::move(job)));
}

async::Task<> Run::start_job(model::ReplayJob job) {
  const auto started = co_await world_.store.start_job(std::move(job));
  if (!started) co_return;
  world_.judge.job_started(started->id);
  job_ = started->id;
  if (!world_.store.is_crashed()) world_.process->replayer().wake();
}

void Run::cancel_job() {
  if (job_) beside(world_.store.cancel_job(*job_));
}

// --- the store

void Run::break_store() {
  constexpr model::errc kOutages[] = {model::errc::store_unavailable, model::errc::store_full,
                                      model::errc::store_read_only};
  const auto outage = kOutages[pick(std::size(kOutages))];
  world_.store.set_outage(outage);
  if (world_.judge.calls_in_flight() > 0 && outage == model::errc::store_full) {
    world_.coverage.count(History::full_in_flight);
  }
  if (world_.judge.calls_in_flight() > 0 && outage == model::errc::store_read_only) {
    world_.coverage.count(History::read_only_in_flight);
  }
  let_time_pass();
  if (one_in(2)) heal_store();
}

void Run::heal_store() {
  world_.store.set_outage(std::nullopt);
  world_.log.set_reads(SimLog::Reads::good);
}

void Run::fail_a_commit() {
  constexpr Fate kFates[] = {Fate::crash_before, Fate::crash_after, Fate::fail_full,
                             Fate::fail_unavailable};
  next_fate_ = kFates[pick(std::size(kFates))];
}

void Run::hang_commits() {
  world_.store.set_commits(doubles::MemoryStore::Commits::by_hand);
  hanging_ = 1 + static_cast<int>(pick(8));
  receive_some();
  world_.pass(seconds{pick(5)});
  if (world_.store.waiting() > 0) world_.coverage.count(History::stalled_commits);
}

void Run::fail_reads() {
  world_.log.set_reads(SimLog::Reads::failing);
  let_time_pass();
  if (!one_in(4)) world_.log.set_reads(SimLog::Reads::good);
}

// --- time and the process

void Run::let_time_pass() { world_.pass(one_in(5) ? Millis{pick(60'000)} : Millis{pick(3'000)}); }

void Run::jump_wall() {
  world_.system_clock.jump_wall(one_in(2) ? hours{24} : -hours{24});
  wall_jumped_ = true;
}

void Run::stop_and_start() {
  world_.trace.note("stop");
  ++world_.coverage.stops;
  const bool calm = next_fate_ == Fate::commit && hanging_ == 0 && world_.store.health().writable;
  world_.end_process(async::Deadline(world_.timers.now() + seconds{pick(12)}));
  if (calm) world_.judge.stopped();
  start_again();
}

void Run::kill() { world_.store.crash(); }

/// Until a delivery whose outcome is never known runs alone, and further.
void Run::kill_again_and_again() {
  for (auto& [name, endpoint] : endpoints_) {
    if (one_in(2)) endpoint.behaviour = Behaviour::hanging;
  }
  heal_store();
  receive_some();
  for (int i = 0; i < kKillsInARow; ++i) {
    world_.pass(seconds{1});
    kill();
    after_operation();
  }
}

void Run::keep_backup() {
  const std::string name = fmt::format("backup-{}", pick(2));
  if (std::ranges::find(backups_, name) == backups_.end()) backups_.push_back(name);
  world_.store.keep(name);
  world_.judge.kept(name);
}

void Run::restore_backup() {
  if (backups_.empty()) return;
  people_.spawn(take_cursor());
  world_.settle();
  if (world_.store.is_crashed()) return;
  world_.trace.note("restore");
  ++world_.coverage.stops;
  world_.end_process(async::Deadline(world_.timers.now()));
  late_.clear();
  job_.reset();
  hanging_ = 0;
  world_.store.set_commits(doubles::MemoryStore::Commits::each_turn);
  world_.restore(backups_[pick(backups_.size())]);
  world_.start_process();
  people_.spawn(try_cursor());
  world_.settle();
}

async::Task<> Run::take_cursor() {
  const auto page = co_await world_.store.events({.limit = 1});
  if (page && page->next) cursor_ = page->next;
}

async::Task<> Run::try_cursor() {
  if (!cursor_) co_return;
  const auto page = co_await world_.store.events({.after = cursor_, .limit = 1});
  if (page) {
    world_.judge.break_rule("a cursor of before the restore is taken");
  } else if (page.error().code == model::errc::old_cursor) {
    world_.coverage.count(History::restore_old_cursor);
  }
  cursor_.reset();
}

/// An outcome of a process that died, as a worker that hung would send it.
void Run::send_late_outcome() {
  if (late_.size() > kLateMax) late_.erase(late_.begin(), late_.end() - kLateMax);
  if (late_.empty()) return;
  people_.spawn(offer(late_[pick(late_.size())]));
}

async::Task<> Run::offer(model::Settlement late) {
  const auto settled = co_await world_.store.settle({std::move(late)});
  if (!settled) co_return;
  world_.coverage.count(History::late_outcome);
  if (!settled->front().stale) world_.judge.break_rule("an outcome of an old lease counts");
}

}  // namespace grapnel::sim
