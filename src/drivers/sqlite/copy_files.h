// Files as backup and restore handle them: copied, linked, synced, hashed. Everything blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace grapnel::sqlite {

struct FileSum {
  std::uint64_t bytes = 0;
  std::string sha256;  ///< lower-case hex
  bool operator==(const FileSum&) const = default;
};

/// Size and checksum. Errors: store_*, not_a_store (a link or a device).
Result<FileSum> sum_file(const std::string& path);
/// A hard link where the file system allows one, a synced copy otherwise. Errors: store_*.
Result<> link_or_copy(const std::string& from, const std::string& to);
/// A new synced file of its own. Errors: store_*, not_a_store (`from` is a link or a device).
Result<> copy_synced(const std::string& from, const std::string& to);
Result<> write_synced(const std::string& path, std::string_view text);
/// Errors: store_*, not_a_store (above kManifestBytesMax, a link or a device).
Result<std::string> read_whole(const std::string& path);
/// A file or a folder.
Result<> sync_path(const std::string& path);
/// Atomic; both in synced folders afterwards. Errors: store_*.
Result<> rename_synced(const std::string& from, const std::string& to);
/// With everything in it; nothing there is no error.
Result<> remove_all(const std::string& path);

}  // namespace grapnel::sqlite
