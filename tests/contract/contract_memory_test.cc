// The contracts, held by the memory store.
#include "contract/store_contract.h"
#include "doubles/memory_store.h"

namespace grapnel::contract {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  model::EventLog& log() override { return store_; }
  model::DeliveryBook& book() override { return store_; }
  model::Registry& registry() override { return store_; }
  model::Catalog& catalog() override { return store_; }
  model::Upkeep& upkeep() override { return store_; }
  async::Loop& loop() override { return loop_; }
  doubles::ManualClock& clock() override { return clock_; }
  const StoreClock& store_clock() const override { return store_.clock(); }
  void reopen() override { store_.crash_and_reopen(); }
  std::string backup_folder() override { return "backup-" + std::to_string(++backups_); }

 private:
  async::Loop loop_;
  doubles::ManualClock clock_;
  doubles::MemoryStore store_{loop_, clock_};
  int backups_ = 0;
};

std::unique_ptr<StoreUnderTest> make_memory() { return std::make_unique<MemoryUnderTest>(); }

}  // namespace

GRAPNEL_INSTANTIATE_CONTRACT(Memory, (StoreKind{"memory", make_memory}));

}  // namespace grapnel::contract
