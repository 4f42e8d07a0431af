#include "pipeline/random_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace grapnel::pipeline {

using doubles::Fate;
using model::DeliveryState;
using model::DesiredState;
using model::SourceMode;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr AttemptBounds kBounds{.attempts_max = 12, .bytes_max = 1 << 20};
/// More than any retry of a recovery needs.
constexpr int kRecoveryTurns = 400;

}  // namespace

RandomRun::RandomRun(std::uint64_t seed)
    : dice_(seed), rig_({.seed = seed + 1, .bounds = kBounds}) {
  rig_.sender.set_script([this](const doubles::RecordedCall& call) { return answer(call); });
  rig_.store.decide_commits(
      [this](const doubles::CommitInfo&) { return std::exchange(next_fate_, Fate::commit); });
  for (const char* slug : {"plain", "ordered", "blocking"}) {
    auto source = rig_.make_source(slug);
    if (source.slug != "plain") {
      source.ordering_key = model::Place{model::Place::Kind::pointer, "/k"};
      source = rig_.put(source);
    }
    sources_.push_back(source.id);
    for (int i = 0; i < 2; ++i) new_action(source, fmt::format("{}-{}", slug, i));
  }
}

RandomRun::~RandomRun() { doubles::run(rig_.loop, people_.join()); }

void RandomRun::note(std::string line) {
  trace_.push_back(fmt::format("{} {}", rig_.timers.now().time_since_epoch().count(), line));
}

void RandomRun::break_rule(std::string rule) {
  note("BROKEN " + rule);
  broken_.push_back(std::move(rule));
}

model::Action RandomRun::new_action(const model::Source& source, const std::string& name) {
  auto action = rig_.make_action(source, name);
  action.retry.schedule = {seconds{1}, seconds{5}};
  action.max_in_flight = 1 + static_cast<int>(pick(4));
  if (source.slug == "blocking") action.on_dead = model::OnDead::block;
  action = rig_.put(action);
  endpoints_[name] = {.action = action.id, .name = name};
  return action;
}

void RandomRun::operate(int operations) {
  for (int i = 0; i < operations; ++i) {
    switch (pick(16)) {
      case 0:
      case 1:
      case 2:
      case 3: receive_some(); break;
      case 4:
      case 5: change_behaviour(); break;
      case 6: change_action(); break;
      case 7: change_source(); break;
      case 8: add_or_delete_action(); break;
      case 9: touch_delivery(); break;
      case 10: replay_many(); break;
      case 11: disturb_store(); break;
      case 12: restart(); break;
      default: let_time_pass(); break;
    }
    after_operation();
  }
}

/// Turns until nothing is ready; a store that crashed by itself takes its process with it.
void RandomRun::after_operation() {
  rig_.settle();
  if (rig_.store.is_crashed()) {
    note("crash");
    rig_.crash();
    rig_.start_again();
    rig_.settle();
  }
}

template <class T>
async::Task<> RandomRun::drop_answer(async::Task<T> task) {
  co_await std::move(task);
}

template <class T>
void RandomRun::beside(async::Task<T> task) {
  people_.spawn(drop_answer(std::move(task)));
}

void RandomRun::receive_some() {
  const std::string slug = std::vector<std::string>{"plain", "ordered", "blocking"}[pick(3)];
  for (auto i = 1 + pick(6); i > 0; --i) {
    std::string body = fmt::format(R"({{"k":{},"n":{}}})", pick(3), ++serial_);
    if (one_in(20)) body.append(model::kBodyInlineBytesMax, ' ');
    people_.spawn(
        receive_one(slug, std::move(body), one_in(4) ? fmt::format("key-{}", pick(8)) : ""));
  }
}

async::Task<> RandomRun::receive_one(std::string slug, std::string body, std::string key) {
  auto request = Rig::request(slug, std::move(body));
  if (!key.empty()) request.headers.push_back({"Idempotency-Key", key});
  const auto receipt = co_await rig_.ingest().receive(slug, std::move(request));
  if (!receipt) {
    note(fmt::format("refused {} {}", slug, receipt.error().detail));
    co_return;
  }
  note(fmt::format("{} {} {}", slug, static_cast<int>(receipt->admission), receipt->event.str()));
  acknowledged_.insert(receipt->event);
}

RandomRun::Endpoint* RandomRun::any_endpoint() {
  return &std::next(endpoints_.begin(), static_cast<std::ptrdiff_t>(pick(endpoints_.size())))
              ->second;
}

void RandomRun::change_behaviour() {
  Endpoint& endpoint = *any_endpoint();
  // A 410 ends an action's whole backlog: rare, or nothing else would happen.
  endpoint.behaviour = static_cast<Behaviour>(pick(7));
  if (endpoint.behaviour == Behaviour::gone && !one_in(4)) endpoint.behaviour = Behaviour::failing;
}

void RandomRun::put(model::Action action) {
  const auto revision = action.revision;
  beside(rig_.store.commit({model::PutAction{std::move(action), revision}}));
}

void RandomRun::put(model::Source source) {
  const auto revision = source.revision;
  beside(rig_.store.commit({model::PutSource{std::move(source), revision}}));
}

void RandomRun::change_action() {
  Endpoint& endpoint = *any_endpoint();
  const auto known = rig_.store.snapshot()->find_action(endpoint.action);
  if (!known) return;
  model::Action action = *known;
  switch (pick(4)) {
    case 0: action.desired = DesiredState::paused; break;
    case 1: action.max_in_flight = 1 + static_cast<int>(pick(6)); break;
    case 2:
      ++action.target_revision;
      action.health = model::Health::ok;
      break;
    default: action.desired = DesiredState::active; break;
  }
  put(std::move(action));
}

void RandomRun::change_source() {
  model::Source source = rig_.current(sources_[pick(sources_.size())]);
  source.mode = one_in(2)   ? SourceMode::active
                : one_in(4) ? SourceMode::record
                            : SourceMode::paused;
  put(std::move(source));
}

void RandomRun::add_or_delete_action() {
  // Definitions are changed by hand here: not while the store would refuse it.
  if (!rig_.store.health().writable || next_fate_ != Fate::commit) return;
  const std::string name = fmt::format("extra-{}", pick(3));
  const auto known = endpoints_.find(name);
  if (known == endpoints_.end()) {
    new_action(rig_.current(sources_[pick(sources_.size())]), name);
    endpoints_[name].permanent = false;
  } else if (const auto action = rig_.store.snapshot()->find_action(known->second.action)) {
    auto changed = *action;
    changed.deleting = true;
    if (!action->deleting) put(std::move(changed));
  } else {
    endpoints_.erase(known);
  }
}

void RandomRun::touch_delivery() {
  const auto& all = rig_.store.tables().deliveries();
  if (all.empty()) return;
  const auto& row = std::next(all.begin(), static_cast<std::ptrdiff_t>(pick(all.size())))->second;
  const model::DeliveryId id = row.delivery.id;
  switch (pick(4)) {
    case 0: beside(rig_.store.cancel({id})); break;
    case 1: beside(rig_.store.retry_now(id)); break;
    case 2: beside(rig_.store.skip(id)); break;
    default:
      beside(rig_.store.replay({{.original = id, .replay = rig_.ids.make<model::DeliveryId>()}}));
      break;
  }
}

void RandomRun::replay_many() {
  beside(
      rig_.store.start_job({.id = rig_.ids.make<model::JobId>(),
                            .per_second = one_in(2) ? 0.0 : 0.5 + static_cast<double>(pick(20))}));
  rig_.settle();
  rig_.process->replayer().wake();
}

void RandomRun::disturb_store() {
  switch (pick(6)) {
    case 0:
    case 1: rig_.store.set_outage(model::errc::store_unavailable); break;
    case 2: rig_.event_log.fail_reads(one_in(2)); break;
    case 3: next_fate_ = Fate::crash_before; break;
    case 4: next_fate_ = Fate::crash_after; break;
    default: next_fate_ = Fate::fail_full; break;
  }
  if (one_in(2)) let_time_pass();
  if (one_in(2)) rig_.store.set_outage(std::nullopt);
}

void RandomRun::let_time_pass() {
  if (one_in(20)) rig_.system_clock.jump_wall(hours{48} - hours{24} * pick(5));
  const auto time = one_in(4) ? Millis{pick(60'000)} : Millis{pick(3'000)};
  rig_.advance(time);
}

void RandomRun::restart() {
  const bool crash = one_in(2);
  note(crash ? "killed" : "restarted");
  if (crash) {
    rig_.crash();
  } else {
    rig_.stop(async::Deadline(rig_.timers.now()));
    rig_.store.crash();
    rig_.process.reset();
  }
  rig_.start_again();
}

doubles::ScriptedReply RandomRun::answer(const doubles::RecordedCall& call) {
  check_start(call);
  const auto name = call.call.url.substr(call.call.url.rfind('/') + 1);
  const auto delivery = model::DeliveryId::parse(
      model::find_header(call.call.headers, "X-Grapnel-Delivery").value_or(""));
  const auto endpoint = endpoints_.find(name);
  const Behaviour behaviour =
      endpoint == endpoints_.end() ? Behaviour::good : endpoint->second.behaviour;
  const Millis delay{pick(200)};
  switch (behaviour) {
    case Behaviour::failing: return doubles::answer(500, delay);
    case Behaviour::gone: return doubles::answer(410, delay);
    case Behaviour::hanging: return doubles::answer(200, hours{1});
    case Behaviour::reset:
      return doubles::failure(model::AttemptStep::response, "response: reset", delay);
    case Behaviour::later:
      return doubles::answer(429, delay, {{"Retry-After", std::to_string(pick(30))}});
    case Behaviour::slow:
      ++confirmed_[*delivery];
      return doubles::answer(200, seconds{1 + pick(10)});
    case Behaviour::good: ++confirmed_[*delivery]; break;
  }
  return doubles::answer(200, delay);
}

/// What must hold whenever an attempt starts, by what is durable then.
void RandomRun::check_start(const doubles::RecordedCall& call) {
  const auto& headers = call.call.headers;
  const auto id = std::string(model::find_header(headers, "X-Grapnel-Delivery").value_or(""));
  note(fmt::format("call {} {} {}", call.call.url, id, call.body.size()));
  const auto& rows = rig_.store.tables().deliveries();
  const auto own = std::ranges::find_if(rows, [id = model::DeliveryId::parse(id)](const auto& row) {
    return id && row.second.delivery.id == *id;
  });
  if (own == rows.end()) return break_rule("an attempt of no delivery: " + id);
  const doubles::StoredDelivery& row = own->second;
  if (row.delivery.state != DeliveryState::running) break_rule("an attempt without a lease: " + id);
  if (model::find_header(headers, "webhook-id") != row.delivery.event.str()) {
    break_rule("an attempt under another event's id: " + id);
  }
  if (!row.key) return;
  for (const auto& [seq, other] : rows) {
    if (seq == own->first || other.key != row.key) continue;
    if (other.delivery.action != row.delivery.action) continue;
    if (other.delivery.state == DeliveryState::running) {
      break_rule("two of one ordering key at once: " + id);
    }
    if (!model::is_terminal(other.delivery.state) && other.stand < row.stand &&
        other.original == 0) {
      break_rule("an ordering key's next before the former ended: " + id);
    }
  }
}

void RandomRun::recover() {
  rig_.store.set_outage(std::nullopt);
  rig_.event_log.fail_reads(false);
  next_fate_ = Fate::commit;
  after_operation();
  for (auto& [name, endpoint] : endpoints_) {
    endpoint.behaviour = Behaviour::good;
    const auto known = rig_.store.snapshot()->find_action(endpoint.action);
    if (!known || known->deleting) continue;
    // Untouched unless needed: a change would wake what a lost wake-up left asleep.
    if (known->desired == DesiredState::active && known->health != model::Health::gone) continue;
    model::Action action = *known;
    action.desired = DesiredState::active;
    action.health = model::Health::ok;
    ++action.target_revision;
    rig_.put(action);
  }
  for (const auto id : sources_) {
    model::Source source = rig_.current(id);
    if (source.mode == SourceMode::active) continue;
    source.mode = SourceMode::active;
    rig_.put(source);
  }
  for (int turn = 0; turn < kRecoveryTurns && open_work() > 0; ++turn) {
    // Somebody lets every blocked ordering key go on.
    for (const auto& [seq, row] : rig_.store.tables().deliveries()) {
      const auto& delivery = row.delivery;
      if (delivery.state != DeliveryState::dead || delivery.skipped || !row.key) continue;
      beside(rig_.store.skip(delivery.id));
    }
    rig_.advance(seconds{5});
  }
  note("recovered");
}

std::int64_t RandomRun::open_work() const {
  std::int64_t open = 0;
  for (const auto id : sources_) open += rig_.store.held_work(id).count;
  for (const auto& [seq, row] : rig_.store.tables().deliveries()) {
    open += model::is_terminal(row.delivery.state) ? 0 : 1;
  }
  for (const auto& job : rig_.store.tables().jobs()) {
    open += job.state == model::JobState::running ? 1 : 0;
  }
  return open;
}

void RandomRun::check() {
  if (const auto open = open_work(); open > 0) break_rule(fmt::format("{} are stuck", open));
  if (rig_.dispatcher().attempts_in_flight() != 0) break_rule("attempts are counted that ended");
  if (!rig_.dispatcher().store_is_up()) break_rule("the store is thought to be down");
  if (people_.running() > 0) break_rule("somebody was never answered");
  const auto& tables = rig_.store.tables();
  std::set<model::EventId> stored;
  std::map<std::pair<model::SourceId, std::string>, Time> keys;  // newest receipt
  for (const auto& [seq, event] : tables.events()) {
    stored.insert(event.event.id);
    const std::string& key = event.event.idempotency_key;
    if (!key.empty()) {
      // A restart takes over the wall clock, so a window can end early in real time.
      const Time received = event.event.received;
      const auto [first, added] = keys.emplace(std::pair(event.event.source, key), received);
      if (!added && received - first->second < model::kIdempotencyWindow) {
        break_rule("two events of one idempotency key: " + key);
      }
      first->second = received;
    }
    check_event(event);
  }
  for (const auto id : acknowledged_) {
    if (!stored.contains(id)) break_rule("an acknowledged event is lost: " + id.str());
  }
  for (const auto& [seq, row] : tables.deliveries()) {
    const auto& delivery = row.delivery;
    note(fmt::format("end {} {} {}", delivery.id.str(), static_cast<int>(delivery.state),
                     delivery.attempts));
    if (delivery.state == DeliveryState::delivered && !confirmed_.contains(delivery.id)) {
      break_rule("delivered, and nobody confirmed it: " + delivery.id.str());
    }
  }
}

/// Exactly one original delivery per matching action, and none of what was only recorded.
void RandomRun::check_event(const doubles::StoredEvent& event) {
  std::map<model::ActionId, int> originals;
  for (const auto seq : event.deliveries) {
    const auto& row = rig_.store.tables().deliveries().at(seq);
    if (row.original == 0) ++originals[row.delivery.action];
  }
  const bool done = event.event.fanout == model::FanoutState::done;
  for (const auto& [name, endpoint] : endpoints_) {
    const auto action = rig_.store.snapshot()->find_action(endpoint.action);
    if (!endpoint.permanent || !action || action->source != event.event.source) continue;
    if (originals[endpoint.action] != (done ? 1 : 0)) {
      break_rule(fmt::format("{} has {} deliveries of {}", name, originals[endpoint.action],
                             event.event.id.str()));
    }
  }
  for (const auto& [action, count] : originals) {
    if (count > 1) break_rule("an action has two deliveries of " + event.event.id.str());
  }
}

}  // namespace grapnel::pipeline
