// What is read from a manifest names files of a backup alone, and survives being written again.
#include "drivers/sqlite/backup_manifest.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"

using namespace grapnel::sqlite;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto manifest = manifest_from({reinterpret_cast<const char*>(data), size});
  if (!manifest) {
    GRAPNEL_CHECK(!manifest.error().context.empty());
    return 0;
  }
  GRAPNEL_CHECK(manifest->files.contains("grapnel.db"));
  for (const auto& [name, sum] : manifest->files) {
    GRAPNEL_CHECK(name == "grapnel.db" || name.starts_with("bodies/"), name);
    GRAPNEL_CHECK(name.find("..") == std::string::npos, name);
    GRAPNEL_CHECK(name.find('/') == name.rfind('/'), name);
  }
  const auto again = manifest_from(to_text(*manifest));
  GRAPNEL_CHECK(again && again->files == manifest->files && again->schema == manifest->schema);
  return 0;
}
