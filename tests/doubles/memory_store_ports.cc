// The ports of MemoryStore: each call is a change inside a commit, or a look at what is committed.
#include <boost/asio/post.hpp>

#include "doubles/memory_store.h"

namespace grapnel::doubles {

using namespace model;
using model::errc;

template <class T, class Work>
async::Task<Result<T>> MemoryStore::change(std::string_view name, Work work) {
  struct Waiting {
    Waiting(async::Executor executor, Work what)
        : work(std::move(what)), done(std::move(executor)) {}
    Work work;
    std::optional<Result<T>> result;
    async::OneShot<Result<T>> done;
  };
  const auto waiting = std::make_shared<Waiting>(executor_, std::move(work));
  enqueue({.name = name,
           .apply = [this, waiting] { waiting->result.emplace(waiting->work(tables_)); },
           .answer = [waiting] { waiting->done.set(std::move(*waiting->result)); },
           .refuse = [waiting](errc error) { waiting->done.set(fail(error)); }});
  co_return co_await waiting->done.wait();
}

template <class T, class Work>
async::Task<Result<T>> MemoryStore::look(Work work) {
  co_await boost::asio::post(executor_, async::use_task);
  if (crashed_) co_return fail(errc::store_unavailable);
  co_return work(tables_);
}

// --- EventLog

async::Task<Result<std::vector<Appended>>> MemoryStore::append(std::vector<EventDraft> drafts) {
  return change<std::vector<Appended>>(
      "append", [drafts = std::move(drafts)](MemoryTables& tables) mutable {
        return Result<std::vector<Appended>>(tables.append(std::move(drafts)));
      });
}

async::Task<Result<std::string>> MemoryStore::write_body(std::shared_ptr<const std::string> body) {
  return change<std::string>("write_body", [body = std::move(body)](MemoryTables& tables) {
    return Result<std::string>(tables.write_body(body));
  });
}

async::Task<Result<std::vector<EventPtr>>> MemoryStore::held(SourceId source, int limit) {
  return look<std::vector<EventPtr>>(
      [source, limit](const MemoryTables& tables) { return tables.held(source, limit); });
}

async::Task<Result<std::vector<Appended>>> MemoryStore::fan_out(std::vector<FanoutDraft> drafts) {
  return change<std::vector<Appended>>(
      "fan_out",
      [drafts = std::move(drafts)](MemoryTables& tables) { return tables.fan_out(drafts); });
}

async::Task<Result<std::vector<Result<EventPtr>>>> MemoryStore::read(std::vector<EventRun> events) {
  return look<std::vector<Result<EventPtr>>>(
      [events = std::move(events)](const MemoryTables& tables) { return tables.read(events); });
}

HeldWork MemoryStore::held_work(SourceId source) const { return tables_.held_work(source); }

// --- DeliveryBook

async::Task<Result<LeaseBatch>> MemoryStore::lease(std::vector<LeaseWish> wishes) {
  return change<LeaseBatch>("lease", [wishes = std::move(wishes)](MemoryTables& tables) {
    return Result<LeaseBatch>(tables.lease(wishes));
  });
}

async::Task<Result<std::vector<Settled>>> MemoryStore::settle(std::vector<Settlement> settlements) {
  return change<std::vector<Settled>>(
      "settle", [settlements = std::move(settlements)](MemoryTables& tables) {
        return Result<std::vector<Settled>>(tables.settle(settlements));
      });
}

async::Task<Result<std::vector<Result<DeliveryState>>>> MemoryStore::cancel(
    std::vector<DeliveryId> ids) {
  using Answer = std::vector<Result<DeliveryState>>;
  return change<Answer>("cancel", [ids = std::move(ids)](MemoryTables& tables) {
    return Result<Answer>(tables.cancel(ids));
  });
}

async::Task<Result<Delivery>> MemoryStore::retry_now(DeliveryId id) {
  return change<Delivery>("retry_now", [id](MemoryTables& tables) { return tables.retry_now(id); });
}

async::Task<Result<Delivery>> MemoryStore::skip(DeliveryId id) {
  return change<Delivery>("skip", [id](MemoryTables& tables) { return tables.skip(id); });
}

async::Task<Result<std::vector<Result<Delivery>>>> MemoryStore::replay(
    std::vector<ReplayWish> wishes) {
  using Answer = std::vector<Result<Delivery>>;
  return change<Answer>("replay", [wishes = std::move(wishes)](MemoryTables& tables) {
    return Result<Answer>(tables.replay(wishes));
  });
}

async::Task<Result<ReplayJob>> MemoryStore::start_job(ReplayJob job) {
  return change<ReplayJob>(
      "start_job", [job = std::move(job)](MemoryTables& tables) { return tables.start_job(job); });
}

async::Task<Result<ReplayJob>> MemoryStore::step_job(JobId id, std::vector<DeliveryId> ids) {
  return change<ReplayJob>("step_job", [id, ids = std::move(ids)](MemoryTables& tables) {
    return tables.step_job(id, ids);
  });
}

async::Task<Result<ReplayJob>> MemoryStore::cancel_job(JobId id) {
  return change<ReplayJob>("cancel_job",
                           [id](MemoryTables& tables) { return tables.cancel_job(id); });
}

async::Task<Result<std::vector<ReplayJob>>> MemoryStore::jobs() {
  return look<std::vector<ReplayJob>>([](const MemoryTables& tables) { return tables.jobs(); });
}

OpenWork MemoryStore::open_work(ActionId action) const { return tables_.open_work(action); }

// --- Registry

async::Task<Result<SnapshotPtr>> MemoryStore::commit(std::vector<RegistryChange> changes) {
  return change<SnapshotPtr>("commit", [changes = std::move(changes)](MemoryTables& tables) {
    return tables.change(changes);
  });
}

async::Task<Result<>> MemoryStore::touch_keys(std::vector<std::pair<KeyId, Time>> uses) {
  return change<void>("touch_keys", [uses = std::move(uses)](MemoryTables& tables) {
    tables.touch_keys(uses);
    return Result<>{};
  });
}

// --- Catalog

async::Task<Result<Page<Event>>> MemoryStore::events(EventQuery query) {
  return look<Page<Event>>(
      [query = std::move(query)](const MemoryTables& tables) { return tables.list(query); });
}

async::Task<Result<std::optional<Event>>> MemoryStore::event(EventId id, WithBody body) {
  return look<std::optional<Event>>(
      [id, body](const MemoryTables& tables) { return tables.event(id, body); });
}

async::Task<Result<Page<Delivery>>> MemoryStore::deliveries(DeliveryQuery query) {
  return look<Page<Delivery>>(
      [query = std::move(query)](const MemoryTables& tables) { return tables.list(query); });
}

async::Task<Result<std::optional<Delivery>>> MemoryStore::delivery(DeliveryId id) {
  return look<std::optional<Delivery>>(
      [id](const MemoryTables& tables) { return tables.delivery(id); });
}

async::Task<Result<std::vector<Attempt>>> MemoryStore::attempts(Seq delivery) {
  return look<std::vector<Attempt>>(
      [delivery](const MemoryTables& tables) { return tables.attempts(delivery); });
}

async::Task<Result<Page<Delivery>>> MemoryStore::dead_letters(DeadQuery query) {
  return look<Page<Delivery>>(
      [query = std::move(query)](const MemoryTables& tables) { return tables.list(query); });
}

async::Task<Result<std::int64_t>> MemoryStore::count_dead(SourceScope scope, DeadFilter filter) {
  return look<std::int64_t>(
      [scope = std::move(scope), filter = std::move(filter)](const MemoryTables& tables) {
        return tables.count_dead(scope, filter);
      });
}

async::Task<Result<std::optional<Action>>> MemoryStore::action_at(ActionId id, Revision revision) {
  return look<std::optional<Action>>(
      [id, revision](const MemoryTables& tables) { return tables.action_at(id, revision); });
}

async::Task<Result<std::vector<ScriptVersion>>> MemoryStore::scripts(IdBytes owner) {
  return look<std::vector<ScriptVersion>>([owner](const MemoryTables& tables) {
    return Result<std::vector<ScriptVersion>>(tables.scripts(owner));
  });
}

async::Task<Result<std::vector<Event>>> MemoryStore::splits(EventId parent) {
  return look<std::vector<Event>>([parent](const MemoryTables& tables) {
    return Result<std::vector<Event>>(tables.splits(parent));
  });
}

// --- Upkeep

async::Task<Result<StepResult>> MemoryStore::bury(ActionId action) {
  return change<StepResult>(
      "bury", [action](MemoryTables& tables) { return Result<StepResult>(tables.bury(action)); });
}

async::Task<Result<StepResult>> MemoryStore::finish_deletions() {
  return change<StepResult>("finish_deletions", [](MemoryTables& tables) {
    return Result<StepResult>(tables.finish_deletions());
  });
}

async::Task<Result<Swept>> MemoryStore::sweep(RetentionPolicy policy) {
  return change<Swept>(
      "sweep", [policy](MemoryTables& tables) { return Result<Swept>(tables.sweep(policy)); });
}

async::Task<Result<StepResult>> MemoryStore::drop_old_keys() {
  return change<StepResult>("drop_old_keys", [](MemoryTables& tables) {
    return Result<StepResult>(tables.drop_old_keys());
  });
}

async::Task<Result<StepResult>> MemoryStore::record_held(SourceId source) {
  return change<StepResult>("record_held", [source](MemoryTables& tables) {
    return Result<StepResult>(tables.record_held(source));
  });
}

async::Task<Result<>> MemoryStore::backup(std::string folder) {
  return change<void>("backup", [this, folder = std::move(folder)](MemoryTables& tables) {
    if (backups_.contains(folder)) return Result<>(fail(errc::conflict, "the backup exists"));
    backups_.emplace(folder, tables);
    return Result<>{};
  });
}

}  // namespace grapnel::doubles
