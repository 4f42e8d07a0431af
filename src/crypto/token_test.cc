#include "crypto/token.h"

#include <gtest/gtest.h>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/digest.h"
#include "crypto/keyed_digest.h"

namespace grapnel::crypto {
namespace {

TEST(Token, HasTheDocumentedFormAndIsNeverTheSame) {
  SystemRandom random;
  const Secret a = make_token(random);
  EXPECT_EQ(a.reveal().size(), 46U);
  EXPECT_TRUE(a.reveal().starts_with("gk_"));
  EXPECT_EQ(a.reveal().substr(3).find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string_view::npos);
  EXPECT_NE(a.reveal(), make_token(random).reveal());
}

TEST(Token, HashIsHexOfSha256) {
  EXPECT_EQ(token_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(KeyedDigest, IsTheTruncatedHmac) {
  const KeyedDigest digest(Secret{std::string_view("key")});
  const std::string text = digest.text_of("Bearer x");
  const auto full = hmac_sha256("key", "Bearer x");
  EXPECT_EQ(text, "digest:" + base64url_encode(as_text(full).substr(0, 16)));
  EXPECT_EQ(text.size(), 7U + 22U);
}

TEST(KeyedDigest, SameValueSameTextAndOtherKeyOtherText) {
  const KeyedDigest a(Secret{std::string_view("a")});
  const KeyedDigest b(Secret{std::string_view("b")});
  EXPECT_EQ(a.text_of("x"), a.text_of("x"));
  EXPECT_NE(a.text_of("x"), a.text_of("y"));
  EXPECT_NE(a.text_of("x"), b.text_of("x"));
}

}  // namespace
}  // namespace grapnel::crypto
