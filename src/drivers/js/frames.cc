#include "drivers/js/frames.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/utf8.h"

namespace grapnel::js {
namespace {

using Decoded = std::expected<std::optional<WorkerFrame>, std::string_view>;

template <class Number>
Number number_at(std::string_view bytes) {
  Number value;
  std::copy_n(bytes.begin(), sizeof value, reinterpret_cast<char*>(&value));
  return value;
}

Decoded violation(std::string_view what) { return std::unexpected(what); }

bool fits(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && is_utf8(text);
}

bool is_one_line(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

Decoded decode_ready(FrameReader reader) {
  ReadyFrame frame;
  frame.refused = reader.u8();
  const std::string_view reason = reader.text();
  if (!reader.done()) return violation("a frame of the wrong length");
  if (!fits(reason, kRefusalBytesMax) || !is_one_line(reason)) return violation("a bad text");
  frame.reason = reason;
  return WorkerFrame{std::move(frame)};
}

Decoded decode_answer(FrameReader reader) {
  AnswerFrame frame;
  const std::uint8_t verdict = reader.u8();
  frame.micros = reader.u32();
  frame.line = reader.u32();
  frame.column = reader.u32();
  const std::string_view message = reader.text();
  const std::string_view console = reader.text();
  const std::string_view result = reader.text();
  if (!reader.done()) return violation("a frame of the wrong length");
  if (verdict > static_cast<std::uint8_t>(Verdict::slow)) return violation("an unknown verdict");
  frame.verdict = static_cast<Verdict>(verdict);
  // No script has as many lines or columns as it may have bytes and two more for its frame.
  const bool placed =
      frame.line <= model::kScriptBytesMax + 2 && frame.column <= model::kScriptBytesMax + 2;
  if (!placed) return violation("a place that no script has");
  if (!fits(message, kMessageBytesMax) || !is_one_line(message)) return violation("a bad message");
  if (!fits(console, model::kConsoleBytesMax)) return violation("a bad console text");
  if (!fits(result, model::kScriptResultBytesMax)) return violation("a bad result");
  if (frame.verdict != Verdict::ok && !result.empty()) return violation("a result of a failure");
  frame.message = message;
  frame.console = console;
  frame.result = result;
  return WorkerFrame{std::move(frame)};
}

Decoded decode_ended(FrameReader reader) {
  const EndedFrame frame{.answers = reader.u32()};
  if (!reader.done()) return violation("a frame of the wrong length");
  return WorkerFrame{frame};
}

}  // namespace

FrameWriter::FrameWriter(std::string& out, FrameKind kind) : out_(out), begin_(out.size()) {
  u32(0).u8(static_cast<std::uint8_t>(kind));
}

FrameWriter& FrameWriter::u8(std::uint8_t value) {
  out_.push_back(static_cast<char>(value));
  return *this;
}

FrameWriter& FrameWriter::u32(std::uint32_t value) {
  std::array<char, sizeof value> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  out_.append(bytes.data(), bytes.size());
  return *this;
}

FrameWriter& FrameWriter::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  out_.append(value);
  return *this;
}

void FrameWriter::finish() {
  const auto payload = static_cast<std::uint32_t>(out_.size() - begin_ - kFrameHeadBytes);
  std::memcpy(out_.data() + begin_, &payload, sizeof payload);
}

std::string_view FrameReader::take(std::size_t bytes) {
  if (bytes > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return taken;
}

std::uint8_t FrameReader::u8() {
  const std::string_view bytes = take(1);
  return bytes.empty() ? 0 : static_cast<std::uint8_t>(bytes[0]);
}

std::uint32_t FrameReader::u32() {
  const std::string_view bytes = take(sizeof(std::uint32_t));
  return bytes.empty() ? 0 : number_at<std::uint32_t>(bytes);
}

std::string_view FrameReader::text() { return take(u32()); }

bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    // Most texts are ASCII: eight bytes at a time without a high bit.
    if (text.size() - at >= sizeof(std::uint64_t) &&
        (number_at<std::uint64_t>(text.substr(at)) & 0x8080808080808080ULL) == 0) {
      at += sizeof(std::uint64_t);
      continue;
    }
    const std::size_t length = utf8_sequence_at(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::span<char> FrameDecoder::room() {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  buffer_.resize(end_ + kReadBytes);
  return {buffer_.data() + end_, kReadBytes};
}

void FrameDecoder::filled(std::size_t bytes) { end_ += bytes; }

Decoded FrameDecoder::next() {
  const std::string_view waiting = std::string_view(buffer_).substr(begin_, end_ - begin_);
  if (waiting.size() < kFrameHeadBytes) return std::nullopt;
  const std::size_t bytes = number_at<std::uint32_t>(waiting);
  if (bytes > kAnswerFrameBytesMax) return violation("a frame above its bound");
  if (waiting.size() - kFrameHeadBytes < bytes) return std::nullopt;
  const auto kind = static_cast<FrameKind>(waiting[sizeof(std::uint32_t)]);
  const FrameReader reader(waiting.substr(kFrameHeadBytes, bytes));
  begin_ += kFrameHeadBytes + bytes;
  switch (kind) {
    case FrameKind::ready: return decode_ready(reader);
    case FrameKind::answer: return decode_answer(reader);
    case FrameKind::ended: return decode_ended(reader);
    default: return violation("an unknown kind of frame");
  }
}

}  // namespace grapnel::js
