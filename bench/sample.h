// What benchmarks of the store write: a source, its actions, events of 1 KiB and their outcomes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "drivers/sqlite/store.h"
#include "model/ids.h"
#include "model/registry.h"

namespace grapnel::bench {

/// One event of a source, with a delivery to each of its actions that somebody leases at once.
inline model::EventDraft draft(const model::SourceEntry& entry, IdSource& ids, std::string body,
                               Time received) {
  model::EventDraft draft;
  draft.event.id = ids.make<model::EventId>();
  draft.event.source = entry.source.id;
  draft.event.type = "push";
  draft.event.method = "POST";
  draft.event.target = "/webhooks/bench";
  draft.event.remote = "127.0.0.1:40000";
  draft.event.headers = {{"Host", "localhost"},
                         {"Content-Type", "application/json"},
                         {"User-Agent", "bench/1"},
                         {"Content-Length", "1024"}};
  draft.event.body_size = body.size();
  draft.event.body_sha256 = crypto::sha256(body);
  draft.event.body = std::move(body);
  draft.event.received = received;
  draft.plan.revision = entry.source.revision;
  for (const auto& action : entry.actions) {
    draft.plan.deliveries.push_back(
        {.id = ids.make<model::DeliveryId>(), .action = action->id, .birth = model::Birth::leased});
  }
  return draft;
}

/// Its first attempt succeeded.
inline model::Settlement delivered(const model::BornDelivery& born, IdSource& ids, Time now) {
  model::Attempt attempt{.id = ids.make<model::AttemptId>(), .number = 1, .started = now};
  attempt.request_headers = {
      {"Content-Type", "application/json"},
      {"webhook-id", "evt_06ESVZ8Q3C9Y3RZ1J5H7K9M2PW"},
      {"webhook-timestamp", "1767225600"},
      {"webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="}};
  attempt.response_status = 200;
  attempt.response_headers = {{"Content-Length", "2"}};
  attempt.response_excerpt = "ok";
  return {.delivery = born.seq,
          .fence = born.fence,
          .kind = model::Settlement::Kind::delivered,
          .due = {},
          .attempt = std::move(attempt),
          .health = std::nullopt};
}

/// A source "bench" with so many actions, paused.
inline async::Task<Result<model::SourceId>> define_source(sqlite::Store& store, IdSource& ids,
                                                          int actions) {
  model::Source source;
  source.id = ids.make<model::SourceId>();
  source.slug = "bench";
  source.name = "bench";
  std::vector<model::RegistryChange> changes{model::PutSource{.source = source}};
  for (int number = 0; number < actions; ++number) {
    model::Action action;
    action.id = ids.make<model::ActionId>();
    action.source = source.id;
    action.name = "sink-" + std::to_string(number);
    action.target_url = "http://127.0.0.1/";
    action.desired = model::DesiredState::paused;
    changes.emplace_back(model::PutAction{.action = action});
  }
  const auto done = co_await store.ports().registry.commit(std::move(changes));
  if (!done) co_return fail(done.error());
  co_return source.id;
}

}  // namespace grapnel::bench
