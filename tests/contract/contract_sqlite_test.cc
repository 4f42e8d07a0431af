// The contracts, held by the embedded store.
#include <filesystem>
#include <stdexcept>

#include "contract/store_contract.h"
#include "drivers/sqlite/store.h"

namespace grapnel::contract {
namespace {

namespace fs = std::filesystem;

/// A folder of its own below GoogleTest's temporary one, removed with everything in it.
class Folder {
 public:
  Folder() {
    std::string name = (fs::path(testing::TempDir()) / "grapnel-contract-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder: " + name);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class SqliteUnderTest final : public StoreUnderTest {
 public:
  SqliteUnderTest() { open(); }

  model::EventLog& log() override { return store_->ports().log; }
  model::DeliveryBook& book() override { return store_->ports().book; }
  model::Registry& registry() override { return store_->ports().registry; }
  model::Catalog& catalog() override { return store_->ports().catalog; }
  model::Upkeep& upkeep() override { return store_->ports().upkeep; }
  async::Loop& loop() override { return loop_; }
  doubles::ManualClock& clock() override { return clock_; }
  const StoreClock& store_clock() const override { return store_->ports().clock; }
  void reopen() override {
    store_.reset();  // hands no lease back: for what it left running it is a crash
    doubles::run_ready(loop_);
    open();
  }
  std::string backup_folder() override {
    return (folder_.path() / ("backup-" + std::to_string(++backups_))).string();
  }

 private:
  void open() {
    auto opened = sqlite::Store::open({.data_dir = (folder_.path() / "data").string()}, clock_,
                                      random_, loop_.get_executor());
    if (!opened) throw std::runtime_error("the store does not open: " + opened.error().message());
    store_ = std::move(*opened);
  }

  Folder folder_;
  async::Loop loop_;
  doubles::ManualClock clock_;
  SeededRandom random_{test_seed() + 1};
  std::unique_ptr<sqlite::Store> store_;
  int backups_ = 0;
};

std::unique_ptr<StoreUnderTest> make_sqlite() { return std::make_unique<SqliteUnderTest>(); }

}  // namespace

GRAPNEL_INSTANTIATE_CONTRACT(Sqlite, (StoreKind{"sqlite", make_sqlite}));

}  // namespace grapnel::contract
