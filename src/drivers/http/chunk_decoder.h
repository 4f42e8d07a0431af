// The chunked transfer coding (RFC 9112 section 7.1), piece by piece. Strict about line ends and
// sizes, which is where smuggling happens; extensions and trailer fields are read past and dropped.
#pragma once

#include <cstdint>
#include <string_view>

namespace grapnel::http {

class ChunkDecoder {
 public:
  enum class Step : std::uint8_t { need_more, data, done, malformed };
  struct Piece {
    Step step = Step::need_more;
    std::string_view data;  ///< of Step::data: a part of the input
  };

  /// Takes what it can from the front of `input`. After done or malformed it is not called again.
  Piece next(std::string_view& input);

 private:
  enum class State : std::uint8_t { size, extension, size_lf, data, data_cr, data_lf, trailer };

  Step on_framing(char c);
  Step on_size(char c);
  Step on_trailer(char c);

  State state_ = State::size;
  int digits_ = 0;
  std::uint64_t left_ = 0;      // of the size line, then of the chunk
  std::size_t line_bytes_ = 0;  // of the extension
  std::size_t trailer_bytes_ = 0;
  bool line_empty_ = true;  // of the trailer's current line
  bool after_cr_ = false;
};

}  // namespace grapnel::http
