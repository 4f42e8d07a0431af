// The frames of a hostile worker: whatever comes, in whatever pieces, is a frame within its bounds
// or a violation, and both readings of the same bytes agree.
#include "drivers/js/frames.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"

namespace {

using grapnel::js::AnswerFrame;
using grapnel::js::FrameDecoder;

/// What came out, as text; `step` bytes at a time.
std::string read_in_steps(std::string_view bytes, std::size_t step) {
  FrameDecoder decoder;
  std::string seen;
  while (!bytes.empty()) {
    const auto room = decoder.room();
    const std::size_t count = std::min({step, bytes.size(), room.size()});
    std::copy_n(bytes.data(), count, room.data());
    decoder.filled(count);
    bytes.remove_prefix(count);
    for (;;) {
      const auto frame = decoder.next();
      if (!frame) return seen + "violation: " + std::string(frame.error());
      if (!*frame) break;
      seen += std::to_string((*frame)->index());
      if (const auto* answer = std::get_if<AnswerFrame>(&**frame)) {
        GRAPNEL_CHECK(answer->result.size() <= grapnel::model::kScriptResultBytesMax);
        GRAPNEL_CHECK(answer->console.size() <= grapnel::model::kConsoleBytesMax);
        GRAPNEL_CHECK(grapnel::js::is_utf8(answer->message));
        seen += answer->message + answer->console + answer->result;
      }
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  GRAPNEL_CHECK(read_in_steps(bytes, size + 1) == read_in_steps(bytes, 3));
  return 0;
}
