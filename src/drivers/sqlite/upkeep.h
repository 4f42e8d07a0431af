// Slow work in bounded steps: each is one short command of the writer, takes at most kStepRows rows
// and can be taken again after a crash, because what it still has to do is read from the rows
// themselves.
#pragma once

#include <memory>
#include <string>

#include "drivers/sqlite/backup.h"
#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/readers.h"
#include "drivers/sqlite/writer.h"
#include "model/upkeep.h"

namespace grapnel::sqlite {

/// Loop's thread.
class Upkeep final : public model::Upkeep {
 public:
  /// All outlive it. `data_dir` is where no backup may be put over the store's own files.
  Upkeep(Writer& writer, Readers& readers, Bodies& bodies, std::string data_dir)
      : writer_(writer), readers_(readers), bodies_(bodies), data_dir_(std::move(data_dir)) {}

  async::Task<Result<model::StepResult>> bury(model::ActionId action) override;
  async::Task<Result<model::StepResult>> finish_deletions() override;
  async::Task<Result<model::Swept>> sweep(model::RetentionPolicy policy) override;
  async::Task<Result<model::StepResult>> drop_old_keys() override;
  async::Task<Result<model::StepResult>> record_held(model::SourceId source) override;
  /// Errors besides store_*: conflict (one is being made, or the folder exists), malformed (no
  /// absolute path).
  async::Task<Result<>> backup(std::string folder) override;
  model::StoreHealth health() const override { return writer_.health(); }

 private:
  Writer& writer_;
  Readers& readers_;
  Bodies& bodies_;
  const std::string data_dir_;
  model::Seq sweep_from_ = 0;  // where the present pass goes on
  bool backing_up_ = false;
  std::shared_ptr<PageCopy> unended_;
};

}  // namespace grapnel::sqlite
