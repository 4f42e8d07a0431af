// For the tests of this room: a store in a folder of its own, on a clock moved by hand, and the few
// calls that most of them make.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/random.h"
#include "crypto/digest.h"
#include "doubles/drive.h"
#include "doubles/manual_clock.h"
#include "drivers/sqlite/store.h"

namespace grapnel::sqlite {

class StoreHarness {
 public:
  explicit StoreHarness(std::uint64_t seed = 1) : random(seed) {
    std::string pattern = std::filesystem::temp_directory_path() / "grapnel-sqlite-XXXXXX";
    folder = ::mkdtemp(pattern.data());
    options.data_dir = folder + "/data";
  }
  ~StoreHarness() {
    store.reset();
    loop.restart();
    loop.poll();
    std::filesystem::remove_all(folder);
  }
  StoreHarness(const StoreHarness&) = delete;
  StoreHarness& operator=(const StoreHarness&) = delete;

  Result<> try_open() {
    auto opened = Store::open(options, clock, random, loop.get_executor());
    if (!opened) return fail(opened.error());
    store = std::move(*opened);
    return {};
  }
  void open() {
    const auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().message();
  }
  void close() { store.reset(); }
  void reopen() {
    close();
    open();
  }

  template <class T>
  T run(async::Task<T> task) {
    return doubles::run(loop, std::move(task));
  }
  template <class IdType>
  IdType new_id() {
    IdType id;
    random.fill(std::as_writable_bytes(std::span{id.bytes}));
    return id;
  }

  /// Puts an active source with that slug.
  model::SourceId add_source(const std::string& slug) {
    model::Source source;
    source.id = new_id<model::SourceId>();
    source.slug = slug;
    source.name = slug;
    commit({model::PutSource{.source = source}});
    return source.id;
  }
  model::ActionId add_action(model::SourceId source, const std::string& name,
                             model::OnDead on_dead = model::OnDead::go_on) {
    model::Action action;
    action.id = new_id<model::ActionId>();
    action.source = source;
    action.name = name;
    action.target_url = "https://example.test/hook";
    action.on_dead = on_dead;
    commit({model::PutAction{.action = action}});
    return action.id;
  }
  void commit(std::vector<model::RegistryChange> changes) {
    const auto done = run(store->ports().registry.commit(std::move(changes)));
    ASSERT_TRUE(done) << done.error().message();
  }
  model::ActionPtr action(model::ActionId id) {
    return store->ports().registry.snapshot()->find_action(id);
  }

  /// An event of the source for all of its actions, as ingest would draw it up.
  model::EventDraft draft(model::SourceId source, std::string body,
                          model::Birth birth = model::Birth::pending) {
    const auto entry = store->ports().registry.snapshot()->find_source(source);
    model::EventDraft draft;
    draft.event.id = new_id<model::EventId>();
    draft.event.source = source;
    draft.event.type = "push";
    draft.event.method = "POST";
    draft.event.target = "/webhooks/demo?x=1";
    draft.event.remote = "192.0.2.1:4711";
    draft.event.headers = {
        {"Content-Type", "application/json"}, {"X-Twice", "1"}, {"x-twice", "2"}};
    draft.event.body_size = body.size();
    draft.event.body_sha256 = crypto::sha256(body);
    draft.event.body = std::move(body);
    draft.event.received = store->ports().clock.now();
    draft.plan.revision = entry->source.revision;
    for (const auto& planned : entry->actions) {
      draft.plan.deliveries.push_back(
          {.id = new_id<model::DeliveryId>(), .action = planned->id, .birth = birth});
    }
    return draft;
  }
  Result<model::Appended> try_append(model::EventDraft draft) {
    std::vector<model::EventDraft> drafts;
    drafts.push_back(std::move(draft));
    auto appended = run(store->ports().log.append(std::move(drafts)));
    if (!appended) return fail(appended.error());
    return std::move(appended->front());
  }
  model::Appended append(model::EventDraft draft) {
    auto appended = try_append(std::move(draft));
    EXPECT_TRUE(appended) << appended.error().message();
    return appended.value_or(model::Appended{});
  }
  /// One with an ordering key, leased at birth where the key allows it.
  model::BornDelivery append_ordered(model::SourceId source, const std::string& key) {
    auto ordered = draft(source, "{}", model::Birth::leased);
    ordered.event.ordering_key = key;
    return append(std::move(ordered)).deliveries.at(0);
  }

  model::LeaseBatch lease(model::ActionId action, int count) {
    auto batch = run(store->ports().book.lease({{.action = action, .count = count}}));
    EXPECT_TRUE(batch) << batch.error().message();
    return std::move(batch).value_or(model::LeaseBatch{});
  }
  model::Settled settle(model::Settlement settlement) {
    auto settled = run(store->ports().book.settle({std::move(settlement)}));
    EXPECT_TRUE(settled) << settled.error().message();
    return settled ? settled->at(0) : model::Settled{};
  }
  model::Settlement outcome(const model::BornDelivery& born, model::Settlement::Kind kind) {
    model::Settlement settlement{.delivery = born.seq, .fence = born.fence, .kind = kind};
    if (kind == model::Settlement::Kind::dead)
      settlement.reason = model::EndReason::retries_exhausted;
    return settlement;
  }
  model::Delivery delivery(model::DeliveryId id) {
    auto found = run(store->ports().catalog.delivery(id));
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : model::Delivery{};
  }
  model::Event event(model::Seq seq) {
    auto found = run(store->ports().log.read({seq}));
    EXPECT_TRUE(found && found->at(0) && *found->at(0));
    return found && found->at(0) && *found->at(0) ? **found->at(0) : model::Event{};
  }

  std::string folder;
  doubles::ManualClock clock;
  SeededRandom random;
  async::Loop loop;
  StoreOptions options;
  std::unique_ptr<Store> store;
};

}  // namespace grapnel::sqlite
