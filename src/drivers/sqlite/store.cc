#include "drivers/sqlite/store.h"

#include <fmt/format.h>

#include <optional>

#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/catalog.h"
#include "drivers/sqlite/data_lock.h"
#include "drivers/sqlite/delivery_book.h"
#include "drivers/sqlite/event_log.h"
#include "drivers/sqlite/files.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/private_files.h"
#include "drivers/sqlite/recovery.h"
#include "drivers/sqlite/registry.h"
#include "drivers/sqlite/schema.h"
#include "drivers/sqlite/stall_watch.h"
#include "drivers/sqlite/upkeep.h"
#include "drivers/sqlite/writer.h"

namespace grapnel::sqlite {

/// In the order in which they are made; taken down the other way round.
struct Store::Parts {
  std::unique_ptr<DataLock> lock;
  std::int64_t epoch = 0;
  std::unique_ptr<StoreClock> clock;
  std::unique_ptr<StallWatch> stalls;
  std::unique_ptr<Bodies> bodies;
  std::unique_ptr<Readers> readers;
  std::unique_ptr<Files> files;
  std::unique_ptr<async::BlockingPool> body_writers;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<EventLog> events;
  std::unique_ptr<DeliveryBook> deliveries;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<Upkeep> upkeep;
  std::optional<model::StorePorts> ports;
};

namespace {

Error at_open(const Error& error, const std::string& database) {
  return {error.code, fmt::format("cannot open the store {}: {}", database, error.message())};
}

/// Brings the database to the newest schema and leaves nothing unsynced in its log.
Result<std::unique_ptr<Connection>> open_database(Files& files) {
  auto db = files.open_writer();
  if (!db) return db;
  // What a killed process wrote may be in the page cache only; from here on every byte is accounted
  // for.
  const auto settled = (*db)->checkpoint(Connection::Checkpoint::truncate, kBusyWaitMax);
  if (!settled) return fail(settled.error());
  if (auto done = migrate(**db, migrations()); !done) return fail(std::move(done.error()));
  return db;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StoreOptions options, const Clock& clock, Random& random,
                                           async::Executor loop) {
  auto parts = std::make_unique<Parts>();
  const std::string database = options.data_dir + "/grapnel.db";
  auto lock = DataLock::acquire(options.data_dir);
  if (!lock) return fail(std::move(lock.error()));
  parts->lock = std::move(*lock);
  auto made = make_private_file(database);
  if (!made) return fail(at_open(made.error(), database));
  auto watch = SyncWatchVfs::create(options.vfs, options.bug);
  if (!watch) return fail(std::move(watch.error()));
  parts->readers = std::make_unique<Readers>(loop);
  parts->files = std::make_unique<Files>(database, std::move(*watch), *parts->readers);

  auto db = open_database(*parts->files);
  if (!db) return fail(at_open(db.error(), database));
  const auto not_before = read_meta(**db, "clock");
  if (!not_before) return fail(at_open(not_before.error(), database));
  parts->clock = std::make_unique<StoreClock>(clock, Time{Millis{*not_before}});
  const auto generation = read_meta(**db, "generation");
  if (!generation) return fail(at_open(generation.error(), database));
  auto state = load_state(**db);
  if (!state) return fail(at_open(state.error(), database));
  parts->epoch = state->epoch;

  parts->stalls = std::make_unique<StallWatch>(options.stall_max);
  parts->bodies =
      std::make_unique<Bodies>(options.data_dir + "/bodies", parts->epoch, random, *parts->stalls);
  auto done = parts->bodies->open();
  if (done) done = sweep_bodies(**db, *parts->bodies);
  if (!done) return fail(std::move(done.error()));
  parts->body_writers = std::make_unique<async::BlockingPool>(loop, kBodyWriters);
  parts->writer =
      std::make_unique<Writer>(*parts->files, *parts->bodies, *parts->stalls, *parts->clock, loop,
                               std::move(*db), std::move(*state), options);
  done = recover_running(*parts->writer, *parts->clock, random);
  if (done) done = parts->files->open_others();
  if (!done) return fail(at_open(done.error(), database));

  parts->events = std::make_unique<EventLog>(*parts->writer, *parts->readers, *parts->bodies,
                                             *parts->body_writers);
  parts->deliveries = std::make_unique<DeliveryBook>(*parts->writer, *parts->readers);
  parts->registry = std::make_unique<Registry>(*parts->writer);
  parts->catalog = std::make_unique<Catalog>(*parts->readers, *parts->bodies, *generation);
  parts->upkeep =
      std::make_unique<Upkeep>(*parts->writer, *parts->readers, *parts->bodies, options.data_dir);
  parts->ports.emplace(model::StorePorts{.clock = *parts->clock,
                                         .registry = *parts->registry,
                                         .log = *parts->events,
                                         .book = *parts->deliveries,
                                         .catalog = *parts->catalog,
                                         .upkeep = *parts->upkeep});
  parts->writer->start();
  return std::unique_ptr<Store>(new Store(std::move(parts)));
}

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Store::~Store() { stop(); }

void Store::stop() {
  parts_->readers->end();
  parts_->files->close_others();
  parts_->writer->stop();
}

const model::StorePorts& Store::ports() const { return *parts_->ports; }
std::int64_t Store::epoch() const { return parts_->epoch; }
StoreCounters Store::counters() const { return parts_->writer->counters(); }

}  // namespace grapnel::sqlite
