// The port EventLog on SQLite.
#pragma once

#include "async/blocking_pool.h"
#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/readers.h"
#include "drivers/sqlite/writer.h"
#include "model/event_log.h"

namespace grapnel::sqlite {

class EventLog final : public model::EventLog {
 public:
  /// `body_writers` is joined before `bodies` goes; its work uses nothing else.
  EventLog(Writer& writer, Readers& readers, Bodies& bodies, async::BlockingPool& body_writers)
      : writer_(writer), readers_(readers), bodies_(bodies), body_writers_(body_writers) {}

  async::Task<Result<std::vector<model::Appended>>> append(
      std::vector<model::EventDraft> drafts) override;
  async::Task<Result<std::string>> write_body(std::shared_ptr<const std::string> body) override;
  void drop_body(const std::string& name) override {
    if (!name.empty()) bodies_.remove(name);
  }
  async::Task<Result<std::vector<model::EventPtr>>> held(model::SourceId source,
                                                         int limit) override;
  async::Task<Result<std::vector<model::Appended>>> fan_out(
      std::vector<model::FanoutDraft> drafts) override;
  async::Task<Result<std::vector<Result<model::EventPtr>>>> read(
      std::vector<model::EventRun> events) override;
  model::HeldWork held_work(model::SourceId source) const override {
    return writer_.held_work(source);
  }

 private:
  Writer& writer_;
  Readers& readers_;
  Bodies& bodies_;
  async::BlockingPool& body_writers_;
};

/// One event with its body, verified; nothing: there is none. Errors: body_damaged, store_*. A
/// thread of the readers.
Result<std::optional<model::Event>> read_whole_event(Connection& db, const Bodies& bodies,
                                                     model::Seq seq);

}  // namespace grapnel::sqlite
