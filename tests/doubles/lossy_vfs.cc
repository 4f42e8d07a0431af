#include "doubles/lossy_vfs.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>

namespace grapnel::doubles {
namespace {

/// SQLite allocates szOsFile bytes: this, then the system's file.
struct File {
  sqlite3_file base{};
  LossyVfs* disk = nullptr;
  std::string* path = nullptr;  // owned; freed by close

  sqlite3_file* inner() {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(this) + kInnerOffset);
  }
  static const std::size_t kInnerOffset;
};
const std::size_t File::kInnerOffset = (sizeof(File) + 15) / 16 * 16;

File& file_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* inner_of(sqlite3_file* file) { return file_of(file).inner(); }
const sqlite3_io_methods& methods_of(sqlite3_file* file) { return *inner_of(file)->pMethods; }

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

struct LossyVfs::Hooks {
  static LossyVfs& self(sqlite3_vfs* vfs) { return *static_cast<LossyVfs*>(vfs->pAppData); }
  static sqlite3_vfs* inner(sqlite3_vfs* vfs) { return self(vfs).inner_; }

  static int close(sqlite3_file* file) {
    delete file_of(file).path;
    return methods_of(file).xClose(inner_of(file));
  }
  static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    return methods_of(file).xRead(inner_of(file), out, size, offset);
  }
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    File& self = file_of(file);
    const auto fault = self.disk->begin(Operation::write, *self.path);
    sqlite3_int64 length = 0;
    methods_of(file).xFileSize(inner_of(file), &length);
    if (fault == Fault::disk_full || (!fault && self.disk->is_full() && offset + size > length)) {
      return SQLITE_FULL;
    }
    if (fault == Fault::io_error) return SQLITE_IOERR_WRITE;
    const int done = fault ? size / 2 : size;
    const int code = methods_of(file).xWrite(inner_of(file), bytes, done, offset);
    if (code != SQLITE_OK) return code;
    self.disk->note_write(
        *self.path, static_cast<std::uint64_t>(offset),
        std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(done)));
    return fault ? SQLITE_IOERR_WRITE : SQLITE_OK;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    File& self = file_of(file);
    if (self.disk->begin(Operation::truncate, *self.path)) return SQLITE_IOERR_TRUNCATE;
    const int code = methods_of(file).xTruncate(inner_of(file), size);
    if (code == SQLITE_OK) self.disk->note_truncate(*self.path, static_cast<std::uint64_t>(size));
    return code;
  }
  static int sync(sqlite3_file* file, int) {
    File& self = file_of(file);
    if (self.disk->begin(Operation::sync, *self.path)) {
      self.disk->forget_pending(*self.path);
      return SQLITE_IOERR_FSYNC;
    }
    self.disk->note_sync(*self.path);
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
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
    static constexpr sqlite3_io_methods kMethods{.iVersion = 2,
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
    file->disk = &self(vfs);
    file->inner()->pMethods = nullptr;
    const int code = inner(vfs)->xOpen(inner(vfs), path, file->inner(), flags, out_flags);
    if (code != SQLITE_OK) return code;
    file->path = new std::string(path != nullptr ? path : "");
    file->base.pMethods = &kMethods;
    file->disk->note_open(*file->path);
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    self(vfs).note_remove(path);
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
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }  // no errno: the fault is ours
  static int current_time_int64(sqlite3_vfs* vfs, sqlite3_int64* out) {
    return inner(vfs)->xCurrentTimeInt64(inner(vfs), out);
  }
};

LossyVfs::LossyVfs()
    : inner_(sqlite3_vfs_find(nullptr)),
      name_(fmt::format("lossy-{}", static_cast<const void*>(this))),
      vfs_(std::make_unique<sqlite3_vfs>()) {
  *vfs_ = sqlite3_vfs{};
  vfs_->iVersion = 2;
  vfs_->szOsFile = static_cast<int>(File::kInnerOffset) + inner_->szOsFile;
  vfs_->mxPathname = inner_->mxPathname;
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

LossyVfs::~LossyVfs() { sqlite3_vfs_unregister(vfs_.get()); }

std::uint64_t LossyVfs::operations() const {
  const std::scoped_lock lock(mutex_);
  return operations_;
}

void LossyVfs::fail_at(std::uint64_t number, Fault fault) {
  const std::scoped_lock lock(mutex_);
  fail_at_ = number;
  fault_ = fault;
}

void LossyVfs::fail_next_sync(std::string suffix) {
  const std::scoped_lock lock(mutex_);
  fail_sync_of_ = std::move(suffix);
}

void LossyVfs::set_room(Room room) {
  const std::scoped_lock lock(mutex_);
  room_ = room;
}

void LossyVfs::set_syncs(Syncs syncs) {
  {
    const std::scoped_lock lock(mutex_);
    syncs_ = syncs;
  }
  syncs_changed_.notify_all();
}

bool LossyVfs::is_full() const {
  const std::scoped_lock lock(mutex_);
  return room_ == Room::none;
}

void LossyVfs::cut_power() {
  const std::scoped_lock lock(mutex_);
  powerless_ = true;
}

void LossyVfs::restore_power(std::optional<std::uint64_t> seed) {
  const std::scoped_lock lock(mutex_);
  std::mt19937_64 random(seed.value_or(0));
  for (auto& [path, image] : images_) {
    for (const auto& change : image.pending) {
      if (seed && random() % 2 == 0) apply(image.durable, change);
    }
    image.pending.clear();
    std::ofstream(path, std::ios::binary | std::ios::trunc) << image.durable;
    if (path.ends_with(".db"))
      std::filesystem::remove(path + "-shm");  // memory does not outlive power
  }
  powerless_ = false;
  fail_at_ = 0;
  fail_sync_of_.clear();
  room_ = Room::enough;
  syncs_ = Syncs::end;
}

void LossyVfs::apply(std::string& image, const Pending& change) {
  if (change.truncates) {
    image.resize(std::min<std::size_t>(image.size(), change.offset));
    return;
  }
  image.resize(std::max(image.size(), change.offset + change.bytes.size()));
  image.replace(change.offset, change.bytes.size(), change.bytes);
}

std::optional<LossyVfs::Fault> LossyVfs::begin(Operation operation, const std::string& path) {
  std::unique_lock lock(mutex_);
  if (operation == Operation::sync) {
    syncs_changed_.wait(lock, [this] { return syncs_ == Syncs::end; });
  }
  ++operations_;
  if (powerless_) return Fault::io_error;
  if (operations_ == fail_at_) return fault_;
  if (operation == Operation::sync && !fail_sync_of_.empty() && path.ends_with(fail_sync_of_)) {
    fail_sync_of_.clear();
    return Fault::io_error;
  }
  return std::nullopt;
}

void LossyVfs::note_write(const std::string& path, std::uint64_t offset, std::string bytes) {
  const std::scoped_lock lock(mutex_);
  images_[path].pending.push_back(
      {.offset = offset, .bytes = std::move(bytes), .truncates = false});
}

void LossyVfs::note_truncate(const std::string& path, std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  images_[path].pending.push_back({.offset = size, .bytes = {}, .truncates = true});
}

void LossyVfs::note_sync(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  Image& image = images_[path];
  for (const auto& change : image.pending) apply(image.durable, change);
  image.pending.clear();
}

void LossyVfs::forget_pending(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (!powerless_) images_[path].pending.clear();
}

void LossyVfs::note_open(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (!path.empty() && !images_.contains(path)) images_[path].durable = read_file(path);
}

void LossyVfs::note_remove(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  images_.erase(path);
}

}  // namespace grapnel::doubles
