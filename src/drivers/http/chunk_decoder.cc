#include "drivers/http/chunk_decoder.h"

#include <algorithm>

#include "base/hex.h"
#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

}  // namespace

ChunkDecoder::Piece ChunkDecoder::next(std::string_view& input) {
  while (!input.empty()) {
    if (state_ == State::data) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
      const std::string_view data = input.substr(0, take);
      input.remove_prefix(take);
      left_ -= take;
      if (left_ == 0) state_ = State::data_cr;
      return {Step::data, data};
    }
    const char c = input.front();
    input.remove_prefix(1);
    const Step step = on_framing(c);
    if (step != Step::need_more) return {step, {}};
  }
  return {};
}

ChunkDecoder::Step ChunkDecoder::on_framing(char c) {
  switch (state_) {
    case State::size: return on_size(c);
    case State::extension:
      if (c == '\r') {
        state_ = State::size_lf;
      } else if (is_control(c) || ++line_bytes_ > kChunkLineBytesMax) {
        return Step::malformed;
      }
      return Step::need_more;
    case State::size_lf:
      if (c != '\n') return Step::malformed;
      state_ = left_ == 0 ? State::trailer : State::data;
      return Step::need_more;
    case State::data_cr:
      if (c != '\r') return Step::malformed;
      state_ = State::data_lf;
      return Step::need_more;
    case State::data_lf:
      if (c != '\n') return Step::malformed;
      state_ = State::size;
      digits_ = 0;
      line_bytes_ = 0;
      return Step::need_more;
    case State::trailer: return on_trailer(c);
    case State::data: break;
  }
  return Step::malformed;
}

ChunkDecoder::Step ChunkDecoder::on_size(char c) {
  if (const int value = hex_value(c); value >= 0) {
    if (++digits_ > kChunkSizeDigitsMax) return Step::malformed;
    left_ = left_ * 16 + static_cast<unsigned>(value);
    return Step::need_more;
  }
  if (digits_ == 0) return Step::malformed;
  if (c == '\r') {
    state_ = State::size_lf;
  } else if (c == ';' || c == ' ' || c == '\t') {
    state_ = State::extension;
  } else {
    return Step::malformed;
  }
  return Step::need_more;
}

ChunkDecoder::Step ChunkDecoder::on_trailer(char c) {
  if (++trailer_bytes_ > kTrailerBytesMax) return Step::malformed;
  if (after_cr_) {
    if (c != '\n') return Step::malformed;
    if (line_empty_) return Step::done;
    after_cr_ = false;
    line_empty_ = true;
  } else if (c == '\r') {
    after_cr_ = true;
  } else if (is_control(c)) {
    return Step::malformed;
  } else {
    line_empty_ = false;
  }
  return Step::need_more;
}

}  // namespace grapnel::http
