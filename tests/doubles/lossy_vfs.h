// A disk for SQLite that loses what was not synced.
//
// A VFS over the system's: files live where they are named, so that locks and shared memory work as
// always, and beside each one a durable image is kept that only syncs write to. At a power cut the
// images become the files. On request an operation fails, in the ways disks do: with an I/O error,
// half way, for want of space, or at a sync whose pages are lost although the next sync says that
// all is well.
//
//   write --> file, pending --sync--> image      power cut: file := image (+ some pending, drawn
//   from a seed)
//                      \----failed sync: forgotten, as a kernel does that marks the pages clean
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace grapnel::doubles {

/// Thread-safe. Outlives the connections that use it.
class LossyVfs {
 public:
  enum class Operation : std::uint8_t { write, sync, truncate };
  enum class Fault : std::uint8_t {
    io_error,   ///< nothing was done; a sync has lost its pages
    half_done,  ///< half of the bytes were written, then an I/O error
    disk_full,
  };

  LossyVfs();
  ~LossyVfs();
  LossyVfs(const LossyVfs&) = delete;
  LossyVfs& operator=(const LossyVfs&) = delete;

  /// For StoreOptions::vfs.
  const std::string& name() const { return name_; }

  /// Operations (writes, syncs, truncations of any file) since the start.
  std::uint64_t operations() const;
  /// The operation of that number fails, once.
  void fail_at(std::uint64_t number, Fault fault);
  /// The next sync of a file whose name ends so fails, once.
  void fail_next_sync(std::string suffix);
  enum class Room : std::uint8_t { enough, none };
  /// With none, no file grows.
  void set_room(Room room);

  enum class Syncs : std::uint8_t { end, hang };
  /// While they hang none returns.
  void set_syncs(Syncs syncs);

  /// From now on every operation fails and nothing more becomes durable.
  void cut_power();
  /// After every file was closed: what the disk holds when power is back. Each write that was
  /// pending has come through or not, drawn from `seed`; with no seed all of them are lost.
  void restore_power(std::optional<std::uint64_t> seed);

  struct Hooks;  // what SQLite calls
  friend struct Hooks;

 private:
  struct Pending {
    std::uint64_t offset = 0;
    std::string bytes;
    bool truncates = false;  // to `offset`
  };
  struct Image {
    std::string durable;
    std::vector<Pending> pending;
  };
  static void apply(std::string& image, const Pending& change);

  /// How the operation that begins now fails, if it does.
  std::optional<Fault> begin(Operation operation, const std::string& path);
  void note_write(const std::string& path, std::uint64_t offset, std::string bytes);
  void note_truncate(const std::string& path, std::uint64_t size);
  void note_sync(const std::string& path);
  void forget_pending(const std::string& path);
  bool is_full() const;
  void note_open(const std::string& path);
  void note_remove(const std::string& path);

  sqlite3_vfs* const inner_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  mutable std::mutex mutex_;
  std::map<std::string, Image> images_;
  std::uint64_t operations_ = 0;
  std::uint64_t fail_at_ = 0;
  Fault fault_ = Fault::io_error;
  std::string fail_sync_of_;
  Room room_ = Room::enough;
  Syncs syncs_ = Syncs::end;
  std::condition_variable syncs_changed_;
  bool powerless_ = false;
};

}  // namespace grapnel::doubles
