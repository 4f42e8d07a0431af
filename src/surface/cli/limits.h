// Bounds of the command line.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.h"
#include "base/units.h"
#include "model/limits.h"

namespace grapnel::cli {

/// One YAML file: ten thousand sources with a dozen lines each are 4 MiB.
inline constexpr std::size_t kYamlBytesMax = 4_MiB;
/// Values in one file with every alias followed: an alias of an alias of an alias multiplies.
inline constexpr std::size_t kYamlNodesMax = 200'000;
/// Bytes of text in one file with every alias followed: four times what the file itself may hold.
inline constexpr std::size_t kYamlExpandedBytesMax = 4 * kYamlBytesMax;
/// Lists and mappings inside each other; ours have 6.
inline constexpr int kYamlDepthMax = 32;
/// Documents in one file, and bytes of a key: longer ones are not keys of ours.
inline constexpr std::size_t kYamlDocumentsMax = 10'000;
inline constexpr std::size_t kYamlKeyBytesMax = 1'024;
static_assert(kYamlKeyBytesMax > model::kNameBytesMax, "a header name fits");

/// A body to send: what a source can take at most.
inline constexpr std::size_t kBodyFileBytesMax = model::kBodyBytesMax;
/// A file that holds a secret or a key.
inline constexpr std::size_t kSecretFileBytesMax = 4_KiB;
static_assert(kSecretFileBytesMax >= model::kInboundSecretBytesMax);
static_assert(kSecretFileBytesMax > model::kSecretBytesMax);
/// Files are read in steps of this.
inline constexpr std::size_t kReadStepBytes = 64_KiB;
/// A script named by a file.
inline constexpr std::size_t kScriptFileBytesMax = model::kScriptBytesMax;
/// Certificates named by a file.
inline constexpr std::size_t kCaFileBytesMax = model::kCaBundleBytesMax;
/// Files of one `apply`.
inline constexpr std::size_t kManifestFilesMax = 1'000;

/// An answer of the API: 200 rows of 16 KiB, or an event's body.
inline constexpr std::size_t kAnswerBytesMax = 64_MiB;
static_assert(kAnswerBytesMax > model::kBodyBytesMax);
/// Time for one call, and for a backup, which copies the whole store.
inline constexpr Millis kCallTimeout{30'000};
inline constexpr Millis kBackupTimeout{6 * 3'600'000};
/// How often `replay --wait` asks how far the job is.
inline constexpr Millis kProgressInterval{1'000};
/// Rows that `get` shows unless --limit or --all says otherwise, and the most that --all gathers
/// in memory before it prints (a row is about 1 KiB).
inline constexpr int kRowsDefault = model::kPageDefault;
inline constexpr int kRowsMax = 100'000;
/// Calls of a `describe` or a plan that follow pages stop here.
inline constexpr int kPagesMax = kRowsMax / model::kPageMax;

/// Width of a table's column when more would push the rest off a screen (-o wide shows all).
inline constexpr std::size_t kCellMax = 48;
/// Bytes of an old or new value in a difference.
inline constexpr std::size_t kDifferenceTextMax = 160;
/// Bytes of a server's error text that are repeated.
inline constexpr std::size_t kErrorTextMax = 2'000;

/// Where descriptions begin in --help.
inline constexpr std::size_t kHelpColumn = 34;

}  // namespace grapnel::cli
