#include "drivers/js/frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace grapnel::js {
namespace {

struct AnswerText {
  std::uint8_t verdict = 0;
  std::uint32_t line = 0;
  std::string message;
  std::string console;
  std::string result;
};

std::string frame_of(const AnswerText& answer) {
  std::string out;
  FrameWriter(out, FrameKind::answer)
      .u8(answer.verdict)
      .u32(7)
      .u32(answer.line)
      .u32(0)
      .text(answer.message)
      .text(answer.console)
      .text(answer.result)
      .finish();
  return out;
}

std::expected<std::optional<WorkerFrame>, std::string_view> decode(std::string_view bytes) {
  FrameDecoder decoder;
  while (!bytes.empty()) {
    const auto room = decoder.room();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::copy_n(bytes.data(), count, room.data());
    decoder.filled(count);
    bytes.remove_prefix(count);
  }
  return decoder.next();
}

std::string violation_of(const std::string& bytes) {
  const auto frame = decode(bytes);
  return frame ? "none" : std::string(frame.error());
}

TEST(Frames, AreReadAsTheyWereWritten) {
  const auto frame = decode(frame_of({.verdict = 0, .console = "a\nb", .result = R"({"é":1})"}));
  ASSERT_TRUE(frame && *frame);
  const auto& answer = std::get<AnswerFrame>(**frame);
  EXPECT_EQ(answer.micros, 7U);
  EXPECT_EQ(answer.console, "a\nb");
  EXPECT_EQ(answer.result, R"({"é":1})");
}

TEST(Frames, WaitForTheirLastByte) {
  const std::string whole = frame_of({.result = "1"});
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const auto frame = decode(std::string_view(whole).substr(0, bytes));
    ASSERT_TRUE(frame) << bytes;
    EXPECT_FALSE(*frame) << bytes;
  }
}

TEST(Frames, AreRefusedWhereAWorkerCannotHaveSaidThem) {
  EXPECT_EQ(violation_of(frame_of({.verdict = 7})), "an unknown verdict");
  EXPECT_EQ(violation_of(frame_of({.verdict = 3, .result = "1"})), "a result of a failure");
  EXPECT_EQ(violation_of(frame_of({.verdict = 2, .message = "a\nb"})), "a bad message");
  EXPECT_EQ(violation_of(frame_of({.verdict = 2, .message = "\xff"})), "a bad message");
  EXPECT_EQ(
      violation_of(frame_of({.verdict = 2, .message = std::string(kMessageBytesMax + 1, 'a')})),
      "a bad message");
  EXPECT_EQ(violation_of(frame_of({.console = "\xC3"})), "a bad console text");
  EXPECT_EQ(violation_of(frame_of({.console = std::string(model::kConsoleBytesMax + 1, 'a')})),
            "a bad console text");
  EXPECT_EQ(violation_of(frame_of({.result = "\xED\xA0\x80"})), "a bad result");
  EXPECT_EQ(violation_of(frame_of({.line = 1 << 20})), "a place that no script has");
}

TEST(Frames, MayHaveTheLargestResultAndNoLarger) {
  EXPECT_EQ(violation_of(frame_of({.result = std::string(model::kScriptResultBytesMax, '1')})),
            "none");
  EXPECT_EQ(violation_of(frame_of({.result = std::string(model::kScriptResultBytesMax + 1, '1')})),
            "a bad result");
}

TEST(Frames, AreRefusedByTheirHeadAloneWhenTooLong) {
  std::string head;
  FrameWriter(head, FrameKind::answer).finish();
  head[3] = '\x7f';
  EXPECT_EQ(violation_of(head), "a frame above its bound");
}

TEST(Frames, ReadZerosBeyondTheirEnd) {
  FrameReader reader("\x01");
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_FALSE(reader.done());
}

TEST(Frames, KnowUtf8) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("12345678é12345678😀"));
  EXPECT_FALSE(is_utf8("12345678\xff"));
  EXPECT_FALSE(is_utf8("\xC0\x80"));
  EXPECT_FALSE(is_utf8("1234567\xC3"));
}

}  // namespace
}  // namespace grapnel::js
