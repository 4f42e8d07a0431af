#include "drivers/sqlite/sync_watch_vfs.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/limits.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

/// Writes of the log that follow each other, until they are needed.
struct Gathered {
  std::string bytes;
  sqlite3_int64 offset = 0;

  sqlite3_int64 end() const { return offset + static_cast<sqlite3_int64>(bytes.size()); }
};

/// SQLite allocates szOsFile bytes: this, then the inner VFS's file.
struct File {
  sqlite3_file base{};
  SyncWatchVfs* watch = nullptr;
  int kind = 0;                        // SQLITE_OPEN_WAL, SQLITE_OPEN_MAIN_DB or another
  std::unique_ptr<Gathered> gathered;  // of a log only

  sqlite3_file* inner() {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(this) + kInnerOffset);
  }
  static const std::size_t kInnerOffset;
};
const std::size_t File::kInnerOffset = (sizeof(File) + 15) / 16 * 16;

File& file_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* inner_of(sqlite3_file* file) { return file_of(file).inner(); }
const sqlite3_io_methods& methods_of(sqlite3_file* file) { return *inner_of(file)->pMethods; }

}  // namespace

struct SyncWatchVfs::Hooks {
  /// A write of the log, noted. What it began with is unsynced from the moment it begins, also when
  /// it fails half way; what it wrote counts as written once it is there, because another
  /// connection's sync may run beside it.
  static int write_log(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    SyncWatchVfs& watch = *file_of(file).watch;
    const auto begin = static_cast<std::uint64_t>(offset);
    watch.note_write_begins(begin);
    const int code = methods_of(file).xWrite(inner_of(file), bytes, size, offset);
    watch.note_written(begin + static_cast<std::uint64_t>(size));
    return code;
  }
  /// Writes what is gathered. What fails is dropped: its transaction fails with it.
  static int flush(sqlite3_file* file) {
    Gathered* const gathered = file_of(file).gathered.get();
    if (gathered == nullptr || gathered->bytes.empty()) return SQLITE_OK;
    const int code = write_log(file, gathered->bytes.data(),
                               static_cast<int>(gathered->bytes.size()), gathered->offset);
    gathered->bytes.clear();
    return code;
  }
  /// SQLite writes a frame of the log in two pieces and each commit dozens of frames.
  static int gather(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    Gathered& gathered = *file_of(file).gathered;
    if (!gathered.bytes.empty() && offset != gathered.end()) {
      if (const int code = flush(file); code != SQLITE_OK) return code;
    }
    if (gathered.bytes.empty()) gathered.offset = offset;
    gathered.bytes.append(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
    return gathered.bytes.size() < kWalGatherBytes ? SQLITE_OK : flush(file);
  }

  static SyncWatchVfs& self(sqlite3_vfs* vfs) { return *static_cast<SyncWatchVfs*>(vfs->pAppData); }
  static sqlite3_vfs* inner(sqlite3_vfs* vfs) { return self(vfs).inner_; }

  static int close(sqlite3_file* file) {
    const int flushed = flush(file);
    file_of(file).gathered.reset();
    const int code = methods_of(file).xClose(inner_of(file));
    return code == SQLITE_OK ? flushed : code;
  }
  static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    if (const int code = flush(file); code != SQLITE_OK) return code;
    return methods_of(file).xRead(inner_of(file), out, size, offset);
  }
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    if (file_of(file).gathered) return gather(file, bytes, size, offset);
    if (file_of(file).kind == SQLITE_OPEN_WAL) return write_log(file, bytes, size, offset);
    return methods_of(file).xWrite(inner_of(file), bytes, size, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (const int code = flush(file); code != SQLITE_OK) return code;
    if (file_of(file).kind == SQLITE_OPEN_WAL) {
      file_of(file).watch->note_truncate(static_cast<std::uint64_t>(size));
    }
    return methods_of(file).xTruncate(inner_of(file), size);
  }
  static int sync(sqlite3_file* file, int flags) {
    SyncWatchVfs& watch = *file_of(file).watch;
    if (const int code = flush(file); code != SQLITE_OK) return code;
    const bool is_wal = file_of(file).kind == SQLITE_OPEN_WAL;
    if (is_wal && watch.bug_ == PlantedBug::skip_sync) return SQLITE_OK;
    const Log before = watch.log();
    const int code = methods_of(file).xSync(inner_of(file), flags);
    if (code != SQLITE_OK && (is_wal || file_of(file).kind == SQLITE_OPEN_MAIN_DB)) {
      watch.note_failed_sync();
    } else if (is_wal) {
      watch.note_sync(before);
    }
    return code;
  }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    if (const int code = flush(file); code != SQLITE_OK) return code;
    return methods_of(file).xFileSize(inner_of(file), size);
  }
  static int lock(sqlite3_file* file, int level) {
    return methods_of(file).xLock(inner_of(file), level);
  }
  static int unlock(sqlite3_file* file, int level) {
    return methods_of(file).xUnlock(inner_of(file), level);
  }
  static int check_reserved_lock(sqlite3_file* file, int* out) {
    return methods_of(file).xCheckReservedLock(inner_of(file), out);
  }
  static int file_control(sqlite3_file* file, int operation, void* argument) {
    return methods_of(file).xFileControl(inner_of(file), operation, argument);
  }
  static int sector_size(sqlite3_file* file) {
    return methods_of(file).xSectorSize(inner_of(file));
  }
  static int characteristics(sqlite3_file* file) {
    return methods_of(file).xDeviceCharacteristics(inner_of(file));
  }
  static int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return methods_of(file).xShmMap(inner_of(file), page, size, extend, out);
  }
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return methods_of(file).xShmLock(inner_of(file), offset, count, flags);
  }
  static void shm_barrier(sqlite3_file* file) { methods_of(file).xShmBarrier(inner_of(file)); }
  static int shm_unmap(sqlite3_file* file, int remove) {
    return methods_of(file).xShmUnmap(inner_of(file), remove);
  }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* out, int flags,
                  int* out_flags) {
    static constexpr sqlite3_io_methods kMethods{
        .iVersion =
            2,  // no memory-mapped pages: they would bypass nothing we need, and a cut file faults
        .xClose = close,
        .xRead = read,
        .xWrite = write,
        .xTruncate = truncate,
        .xSync = sync,
        .xFileSize = file_size,
        .xLock = lock,
        .xUnlock = unlock,
        .xCheckReservedLock = check_reserved_lock,
        .xFileControl = file_control,
        .xSectorSize = sector_size,
        .xDeviceCharacteristics = characteristics,
        .xShmMap = shm_map,
        .xShmLock = shm_lock,
        .xShmBarrier = shm_barrier,
        .xShmUnmap = shm_unmap,
        .xFetch = nullptr,
        .xUnfetch = nullptr};
    auto* file = new (out) File;
    file->watch = &self(vfs);
    file->kind = flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB);
    file->inner()->pMethods = nullptr;
    const int code = inner(vfs)->xOpen(inner(vfs), path, file->inner(), flags, out_flags);
    if (file->inner()->pMethods == nullptr) return code;  // nobody will close it
    file->base.pMethods = &kMethods;
    // Without this promise of the disk SQLite pads a commit's frames after its sync.
    const bool whole = (file->inner()->pMethods->xDeviceCharacteristics(file->inner()) &
                        SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
    if (file->kind == SQLITE_OPEN_WAL && whole) file->gathered = std::make_unique<Gathered>();
    return code;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    return inner(vfs)->xDelete(inner(vfs), path, sync_folder);
  }
  static int access(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
    return inner(vfs)->xAccess(inner(vfs), path, flags, out);
  }
  static int full_pathname(sqlite3_vfs* vfs, const char* path, int size, char* out) {
    return inner(vfs)->xFullPathname(inner(vfs), path, size, out);
  }
  static int randomness(sqlite3_vfs* vfs, int size, char* out) {
    return inner(vfs)->xRandomness(inner(vfs), size, out);
  }
  static int sleep(sqlite3_vfs* vfs, int micros) { return inner(vfs)->xSleep(inner(vfs), micros); }
  static int current_time(sqlite3_vfs* vfs, double* out) {
    return inner(vfs)->xCurrentTime(inner(vfs), out);
  }
  static int last_error(sqlite3_vfs* vfs, int size, char* out) {
    return inner(vfs)->xGetLastError(inner(vfs), size, out);
  }
  static int current_time_int64(sqlite3_vfs* vfs, sqlite3_int64* out) {
    return inner(vfs)->xCurrentTimeInt64(inner(vfs), out);
  }
};

Result<std::unique_ptr<SyncWatchVfs>> SyncWatchVfs::create(const std::string& inner,
                                                           PlantedBug bug) {
  sqlite3_vfs* const found = sqlite3_vfs_find(inner.empty() ? nullptr : inner.c_str());
  if (found == nullptr) {
    return fail(errc::not_a_store, fmt::format("SQLite has no file system named '{}'", inner));
  }
  return std::unique_ptr<SyncWatchVfs>(new SyncWatchVfs(found, bug));
}

SyncWatchVfs::SyncWatchVfs(sqlite3_vfs* inner, PlantedBug bug)
    : inner_(inner),
      bug_(bug),
      name_(fmt::format("grapnel-{}", static_cast<const void*>(this))),
      vfs_(std::make_unique<sqlite3_vfs>()) {
  *vfs_ = sqlite3_vfs{};
  vfs_->iVersion = 2;
  vfs_->szOsFile = static_cast<int>(File::kInnerOffset) + inner->szOsFile;
  vfs_->mxPathname = inner->mxPathname;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = Hooks::open;
  vfs_->xDelete = Hooks::remove;
  vfs_->xAccess = Hooks::access;
  vfs_->xFullPathname = Hooks::full_pathname;
  vfs_->xRandomness = Hooks::randomness;
  vfs_->xSleep = Hooks::sleep;
  vfs_->xCurrentTime = Hooks::current_time;
  vfs_->xGetLastError = Hooks::last_error;
  vfs_->xCurrentTimeInt64 = Hooks::current_time_int64;
  sqlite3_vfs_register(vfs_.get(), 0);
}

SyncWatchVfs::~SyncWatchVfs() { sqlite3_vfs_unregister(vfs_.get()); }

std::uint64_t SyncWatchVfs::wal_bytes() const { return log().written_end; }

bool SyncWatchVfs::sync_failed() const {
  const std::scoped_lock lock(mutex_);
  return sync_failed_;
}

SyncWatchVfs::Log SyncWatchVfs::log() const {
  const std::scoped_lock lock(mutex_);
  return log_;
}

void SyncWatchVfs::note_write_begins(std::uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  if (offset == 0) {
    ++log_.generation;
    log_.written_end = 0;
  }
  if (offset < log_.written_end) ++log_.overwrites;
  log_.synced_end = std::min(log_.synced_end, offset);
}

void SyncWatchVfs::note_written(std::uint64_t end) {
  const std::scoped_lock lock(mutex_);
  log_.written_end = std::max(log_.written_end, end);
}

void SyncWatchVfs::note_truncate(std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  log_.synced_end = std::min(log_.synced_end, size);
  log_.written_end = std::min(log_.written_end, size);
}

void SyncWatchVfs::note_sync(const Log& before) {
  const std::scoped_lock lock(mutex_);
  // Another thread wrote below what this sync began with: which of the bytes it covered is unknown.
  if (before.generation != log_.generation || before.overwrites != log_.overwrites) return;
  log_.synced_end = std::max(log_.synced_end, std::min(before.written_end, log_.written_end));
}

void SyncWatchVfs::note_failed_sync() {
  const std::scoped_lock lock(mutex_);
  sync_failed_ = true;
}

Result<> SyncWatchVfs::cut_wal(const std::string& database) {
  const auto failed = [](const char* what, int code) {
    return fail(model::errc::store_unavailable,
                fmt::format("after a failed sync the store's log could not be {}: {}", what,
                            sqlite3_errstr(code)));
  };
  // SQLite wants its names with two zero bytes at the end (room for URI parameters).
  const std::string wal = database + "-wal" + std::string(2, '\0');
  std::vector<std::max_align_t> memory(
      static_cast<std::size_t>(inner_->szOsFile) / sizeof(std::max_align_t) + 1);
  auto* file = reinterpret_cast<sqlite3_file*>(memory.data());
  int code = inner_->xOpen(inner_, wal.c_str(), file,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL, nullptr);
  if (code != SQLITE_OK) return failed("opened", code);
  const std::uint64_t end = log().synced_end;
  code = file->pMethods->xTruncate(file, static_cast<sqlite3_int64>(end));
  if (code == SQLITE_OK) code = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
  file->pMethods->xClose(file);
  if (code != SQLITE_OK) return failed("cut", code);
  const std::string shm = database + "-shm";
  code = inner_->xDelete(inner_, shm.c_str(), 0);
  if (code != SQLITE_OK && code != SQLITE_IOERR_DELETE_NOENT) return failed("opened anew", code);
  const std::scoped_lock lock(mutex_);
  log_.written_end = end;
  sync_failed_ = false;
  return {};
}

}  // namespace grapnel::sqlite
