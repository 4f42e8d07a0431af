// WORKER. The socket to the pool: whole frames in, whole frames out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "drivers/js/frames.h"

namespace grapnel::js {

struct IncomingFrame {
  FrameKind kind;
  std::string payload;
};

/// Waits for the next frame. Nullopt: the pool has gone.
std::optional<IncomingFrame> receive_frame();
/// Sends everything in `bytes` and empties it. False: the pool has gone.
bool send_frames(std::string& bytes);

}  // namespace grapnel::js
