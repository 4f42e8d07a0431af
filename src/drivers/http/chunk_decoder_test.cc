#include "drivers/http/chunk_decoder.h"

#include <gtest/gtest.h>

#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

using Step = ChunkDecoder::Step;

struct Decoded {
  std::string body;
  Step end = Step::need_more;
  std::string rest;
};

Decoded decode(std::string_view input, std::size_t piece_bytes) {
  ChunkDecoder decoder;
  Decoded out;
  while (!input.empty()) {
    std::string_view piece = input.substr(0, piece_bytes);
    const std::size_t before = piece.size();
    const auto [step, data] = decoder.next(piece);
    input.remove_prefix(before - piece.size());
    out.body += data;
    out.end = step;
    if (step == Step::done || step == Step::malformed) break;
  }
  out.rest = input;
  return out;
}

TEST(ChunkDecoder, RefusesWhatTwoDecodersCouldReadDifferently) {
  for (const std::string& text :
       {std::string("\r\n"), std::string("x\r\n"), std::string("-1\r\n"), std::string("0x5\r\n"),
        std::string("5\nhello"), std::string("5\r\rhello"), std::string("5\r\nhello0\r\n"),
        std::string("5\r\nhelloX\r\n"), std::string("5\r\nhello\rX"), std::string("5;a\nb\r\n"),
        std::string("5;a\rb"), std::string(" 5\r\n"), std::string("1000000000000000\r\n"),
        std::string("0\r\nX: y\nZ: w\r\n"), std::string("0\r\n\rX"),
        "5;" + std::string(kChunkLineBytesMax + 1, 'x'),
        "0\r\n" + std::string(kTrailerBytesMax + 1, 'x')}) {
    EXPECT_EQ(decode(text, 1).end, Step::malformed) << text.substr(0, 40);
    EXPECT_EQ(decode(text, text.size()).end, Step::malformed) << text.substr(0, 40);
  }
}

TEST(ChunkDecoder, DecodesHoweverTheNetworkCuts) {
  const std::string text =
      "5\r\nhello\r\n1;ext=\"v\"\r\n,\r\n00a \t\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nnext";
  for (std::size_t bytes = 1; bytes <= text.size(); ++bytes) {
    const Decoded decoded = decode(text, bytes);
    EXPECT_EQ(decoded.end, Step::done) << bytes;
    EXPECT_EQ(decoded.body, "hello,0123456789") << bytes;
    EXPECT_EQ(decoded.rest, "next") << bytes;
  }
}

TEST(ChunkDecoder, KeepsEveryByteOfTheData) {
  const std::string data("\0\r\n\xFF 0\r\n\r\n", 10);
  EXPECT_EQ(decode("A\r\n" + data + "\r\n0\r\n\r\n", 3).body, data);
}

}  // namespace
}  // namespace grapnel::http
