#include "drivers/js/channel.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "drivers/js/jail.h"

namespace grapnel::js {
namespace {

bool receive(char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t got = read(kChannel, bytes, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

std::optional<IncomingFrame> receive_frame() {
  std::array<char, kFrameHeadBytes> head;
  if (!receive(head.data(), head.size())) return std::nullopt;
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, head.data(), sizeof bytes);
  if (bytes > kCallFrameBytesMax) return std::nullopt;
  IncomingFrame frame{.kind = static_cast<FrameKind>(head.back()), .payload = {}};
  frame.payload.resize(bytes);
  if (!receive(frame.payload.data(), bytes)) return std::nullopt;
  return frame;
}

bool send_frames(std::string& bytes) {
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t sent = write(kChannel, left.data(), left.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  bytes.clear();
  return true;
}

}  // namespace grapnel::js
