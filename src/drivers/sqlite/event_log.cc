#include "drivers/sqlite/event_log.h"

#include <fmt/format.h>

#include "crypto/digest.h"
#include "drivers/sqlite/append.h"
#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/fanout.h"
#include "drivers/sqlite/results.h"
#include "drivers/sqlite/rows.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::Appended;
using model::EventPtr;

std::unexpected<Error> damaged(const model::Event& event, std::string_view how) {
  return fail(model::errc::body_damaged,
              fmt::format("the body of event {} {}", event.id.str(), how));
}

Result<std::vector<EventPtr>> read_held(Connection& db, model::SourceId source, int limit) {
  auto query = db.query(GRAPNEL_SQLITE_EVENT_SELECT
                        "INDEXED BY events_held WHERE e.source = (SELECT pk FROM sources WHERE id "
                        "= ?1) AND e.fanout = 0"
                        " ORDER BY e.seq LIMIT ?2");
  query.bind(source, limit);
  std::vector<EventPtr> events;
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return events;
    events.push_back(std::make_shared<const model::Event>(read_event(query)));
  }
}

}  // namespace

Result<std::optional<model::Event>> read_whole_event(Connection& db, const Bodies& bodies,
                                                     model::Seq seq) {
  auto query = db.query(GRAPNEL_SQLITE_EVENT_SELECT "WHERE e.seq = ?1");
  const auto row = query.bind(seq).next();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<model::Event>{};
  model::Event event = read_event(query);
  auto body = db.query("SELECT body, body_file FROM events WHERE seq = ?1");
  const auto body_row = body.bind(seq).next();
  if (!body_row) return fail(body_row.error());
  if (!body.null(1)) {
    auto bytes = bodies.read(body.string(1));
    if (!bytes && bytes.error().code == model::errc::body_gone)
      return damaged(event, "has lost its file");
    if (!bytes) return fail(std::move(bytes.error()));
    event.body = std::move(*bytes);
  } else {
    event.body = body.blob(0);
  }
  if (event.body.size() != event.body_size || crypto::sha256(event.body) != event.body_sha256) {
    return damaged(event, "does not match its checksum");
  }
  return event;
}

async::Task<Result<std::vector<Appended>>> EventLog::append(std::vector<model::EventDraft> drafts) {
  std::size_t bytes = 0;
  for (const auto& draft : drafts) bytes += draft.event.body.size() + kCommandBytes;
  co_return co_await writer_.write(bytes,
                                   [&drafts](Transaction& tx) -> Result<std::vector<Appended>> {
                                     std::vector<Appended> answers;
                                     answers.reserve(drafts.size());
                                     for (const auto& draft : drafts) {
                                       auto appended = append_one(tx, draft);
                                       if (!appended) return fail(std::move(appended.error()));
                                       answers.push_back(std::move(*appended));
                                     }
                                     return answers;
                                   });
}

async::Task<Result<std::string>> EventLog::write_body(std::shared_ptr<const std::string> body) {
  co_return co_await body_writers_.run([&bodies = bodies_, body] { return bodies.write(*body); });
}

async::Task<Result<std::vector<EventPtr>>> EventLog::held(model::SourceId source, int limit) {
  co_return co_await readers_.read(
      [source, limit](Connection& db) { return read_held(db, source, limit); });
}

async::Task<Result<std::vector<Appended>>> EventLog::fan_out(
    std::vector<model::FanoutDraft> drafts) {
  co_return co_await writer_.write(0, [&drafts](Transaction& tx) -> Result<std::vector<Appended>> {
    std::vector<Appended> answers;
    answers.reserve(drafts.size());
    for (const auto& draft : drafts) {
      auto appended = fan_out_one(tx, draft);
      if (!appended) return fail(std::move(appended.error()));
      answers.push_back(std::move(*appended));
    }
    return answers;
  });
}

async::Task<Result<std::vector<Result<EventPtr>>>> EventLog::read(
    std::vector<model::EventRun> events) {
  using Answers = std::vector<Result<EventPtr>>;
  co_return co_await readers_.read([this, &events](Connection& db) -> Result<Answers> {
    Answers answers;
    answers.reserve(events.size());
    for (const auto& [seq, run] : events) {
      auto event = read_whole_event(db, bodies_, seq);
      if (event && *event && run > 0) {
        if (auto done = apply_result(db, bodies_, run, **event); !done) {
          event = fail(std::move(done.error()));
        }
      }
      if (!event && event.error().code != model::errc::body_damaged)
        return fail(std::move(event.error()));
      if (!event) {
        answers.emplace_back(fail(std::move(event.error())));
      } else if (!*event) {
        answers.emplace_back(nullptr);
      } else {
        answers.emplace_back(std::make_shared<const model::Event>(std::move(**event)));
      }
    }
    return answers;
  });
}

}  // namespace grapnel::sqlite
