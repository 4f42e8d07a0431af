// What the pool and a worker say to each other: frames over a socket pair, numbers as the machine
// has them, since both ends are on one.
//
//   frame    u32 bytes of payload, u8 kind, payload
//   text     u32 bytes, bytes
//
//   to the worker     define  slot, function, name, body       replaces what the slot held
//                     calls   slot, ms, count, (event, body)…  runs them in order
//                     check   slot, ms                         compiles and evaluates
//   from the worker   ready   refused parts, reason            once, first
//                     answer  one per call, in order
//                     ended   count                            closes each batch, maybe early
//
// The worker trusts the pool. The pool takes nothing on trust: FrameDecoder bounds and checks every
// byte, and whoever uses it checks order and count.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "drivers/js/limits.h"

namespace grapnel::js {

enum class FrameKind : std::uint8_t {
  define = 1,
  calls = 2,
  check = 3,
  forbidden = 4,  ///< does what the filter forbids; only a worker that is started for it obeys
  ready = 16,
  answer = 17,
  ended = 18,
};

/// How a call ended, as the worker says. The numbers below `slow` are those of model::ScriptFault.
enum class Verdict : std::uint8_t {
  ok = 0,
  compile = 1,
  thrown = 2,
  timeout = 3,
  memory = 4,
  result = 5,
  slow = 6,  ///< kSlowCall passed on a regular worker: no verdict yet
};

/// Bits of ReadyFrame::refused: 1 << model::SandboxPart.
inline constexpr std::uint8_t kRefusedFilter = 1;
inline constexpr std::uint8_t kRefusedMemory = 2;

struct ReadyFrame {
  std::uint8_t refused = 0;
  std::string reason;  ///< of the kernel, for the refused parts
};
struct AnswerFrame {
  Verdict verdict = Verdict::ok;
  std::uint32_t micros = 0;  ///< processor time
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string message;
  std::string console;
  std::string result;
};
struct EndedFrame {
  std::uint32_t answers = 0;
};
using WorkerFrame = std::variant<ReadyFrame, AnswerFrame, EndedFrame>;

/// Appends one frame to `out`: opened by the constructor, closed by finish().
class FrameWriter {
 public:
  FrameWriter(std::string& out, FrameKind kind);
  FrameWriter& u8(std::uint8_t value);
  FrameWriter& u32(std::uint32_t value);
  FrameWriter& text(std::string_view value);
  void finish();

 private:
  std::string& out_;
  std::size_t begin_;
};

/// Takes a payload apart. A read beyond its end gives zeros and clears ok().
class FrameReader {
 public:
  explicit FrameReader(std::string_view payload) : rest_(payload) {}
  std::uint8_t u8();
  std::uint32_t u32();
  /// Valid as long as the payload.
  std::string_view text();
  bool ok() const { return ok_; }
  /// Everything was read, and nothing beyond.
  bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t bytes);

  std::string_view rest_;
  bool ok_ = true;
};

/// Whether it is UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

/// Bytes of a hostile worker, made frames. Holds at most kAnswerFrameBytesMax and one read.
class FrameDecoder {
 public:
  /// Where the next bytes go; filled() says how many came.
  std::span<char> room();
  void filled(std::size_t bytes);
  /// The next whole frame; nullopt: more bytes are needed. The error names what is wrong with it:
  /// the worker is not to be trusted further.
  std::expected<std::optional<WorkerFrame>, std::string_view> next();

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace grapnel::js
