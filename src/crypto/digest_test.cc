#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/compare.h"

namespace grapnel::crypto {
namespace {

std::string hex(const Digest& digest) { return hex_encode(as_text(digest)); }

TEST(Sha256, MatchesKnownDigests) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheSameAsTheWhole) {
  Sha256Stream stream;
  for (const std::string_view piece : {"", "a", "", "bc"}) stream.add(piece);
  EXPECT_EQ(stream.finish(), sha256("abc"));
  EXPECT_EQ(Sha256Stream().finish(), sha256(""));
}

// RFC 4231 sections 4.2, 4.3 and 4.7 (a key longer than the block).
TEST(HmacSha256, MatchesTheVectorsOfRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want ", "for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, EmptyKeyIsAKeyOfItsOwn) {
  const std::string expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  (void)hmac_sha256("another", "x");  // must not stay behind in the thread's context
  EXPECT_EQ(hex(hmac_sha256("")), expected);
  EXPECT_EQ(hex(HmacSha256("").of()), expected);
}

TEST(HmacSha256, KeptContextGivesTheSameAsOneCall) {
  HmacSha256 kept("key");
  for (const std::string_view text : {"a", "", "bcd"}) {
    EXPECT_EQ(kept.of(text, ".", text), hmac_sha256("key", text, ".", text));
  }
  HmacSha256 copy = kept;
  HmacSha256 moved = std::move(kept);
  EXPECT_EQ(copy.of("x"), moved.of("x"));
  copy = HmacSha256("other");
  EXPECT_EQ(copy.of("x"), hmac_sha256("other", "x"));
}

TEST(HmacSha256, ThreadsDoNotShareContexts) {
  const auto expected = hmac_sha256("key 1", "message");
  std::jthread other([] {
    for (int i = 0; i < 1000; ++i) (void)hmac_sha256("key 2", "other");
  });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(hmac_sha256("key 1", "message"), expected);
}

TEST(Compare, EqualOnlyWhenEveryByteIs) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_constant_time("", "a"));
}

}  // namespace
}  // namespace grapnel::crypto
