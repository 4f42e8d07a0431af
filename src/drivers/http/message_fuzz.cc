// Heads and chunks from anybody: no input may do more than be refused, and a chunked body decodes
// to the same bytes however the network cuts it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "drivers/http/chunk_decoder.h"
#include "drivers/http/message_head.h"

namespace {

using grapnel::http::ChunkDecoder;

struct Decoded {
  std::string bytes;
  ChunkDecoder::Step end = ChunkDecoder::Step::need_more;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view input, std::size_t step_bytes) {
  ChunkDecoder decoder;
  Decoded out;
  while (!input.empty()) {
    std::string_view part = input.substr(0, step_bytes);
    input.remove_prefix(part.size());
    while (!part.empty()) {
      const auto [step, data] = decoder.next(part);
      out.bytes += data;
      out.end = step == ChunkDecoder::Step::data ? ChunkDecoder::Step::need_more : step;
      if (step == ChunkDecoder::Step::done || step == ChunkDecoder::Step::malformed) return out;
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace grapnel::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (decode(text, 1) != decode(text, size + 1)) std::abort();
  std::size_t scanned = 0;
  const std::string_view head = text.substr(0, find_head_end(text, scanned));
  grapnel::model::HttpRequest request;
  RequestFraming framing;
  (void)parse_request_head(head, request, framing);
  AnswerHead answer;
  (void)parse_answer_head(head, AnswerTo::other_request, answer);
  return 0;
}
