#include "drivers/sqlite/codec.h"

#include <gtest/gtest.h>

namespace grapnel::sqlite {
namespace {

TEST(HeaderCodec, DamagedBytesGiveWhatCameBeforeTheDamage) {
  const model::HeaderList headers{{"A", "1"}, {"B", std::string(300, 'x')}};
  const std::string bytes = encode_headers(headers);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_LE(decode_headers(std::string_view(bytes).substr(0, cut)).size(), 1U);
  }
  EXPECT_TRUE(decode_headers(std::string(20, '\xff')).empty());
}

TEST(HeaderCodec, KeepsOrderDuplicatesCaseAndAnyBytes) {
  const model::HeaderList headers{{"X-A", "1"},
                                  {"x-a", ""},
                                  {"X-A", std::string("\0\xff ", 3)},
                                  {"Long", std::string(20'000, 'y')}};
  EXPECT_EQ(decode_headers(encode_headers(headers)), headers);
  EXPECT_TRUE(encode_headers({}).empty());
}

TEST(IdempotencyHash, SourcePlaceAndKeyAllCount) {
  model::SourceId other;
  other.bytes[0] = 1;
  const auto hash = idempotency_hash({}, "/id", "k");
  EXPECT_EQ(hash, idempotency_hash({}, "/id", "k"));
  EXPECT_NE(hash, idempotency_hash(other, "/id", "k"));
  EXPECT_NE(hash, idempotency_hash({}, "/i", "dk"));
  EXPECT_NE(hash, idempotency_hash({}, "/id", "k2"));
}

}  // namespace
}  // namespace grapnel::sqlite
