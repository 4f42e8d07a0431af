#include "surface/cli/yaml.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/json_text.h"
#include "surface/cli/yaml_writer.h"

using grapnel::model::json_text;

// Whatever is read can be written, and reads back as the same value (1e3 as 1000).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto documents = grapnel::cli::parse_yaml(text, "fuzz");
  if (!documents) return 0;
  for (const auto& document : *documents) {
    const std::string written = grapnel::cli::to_yaml(document.value);
    const auto again = grapnel::cli::parse_yaml(written, "written");
    GRAPNEL_CHECK(again && again->size() == 1, written);
    GRAPNEL_CHECK(json_text(again->front().value) == json_text(document.value), written);
  }
  return 0;
}
