#include "crypto/ed25519.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "crypto/base64.h"
#include "crypto/bytes.h"

namespace grapnel::crypto {
namespace {

Ed25519Key key_of(std::string_view hex) {
  const std::string bytes = hex_decode(hex).value();
  Ed25519Seed seed;
  std::ranges::copy(as_bytes(bytes), seed.begin());
  return Ed25519Key(seed);
}

// RFC 8032 section 7.1, TEST 3.
constexpr std::string_view kSeed =
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";

TEST(Ed25519, MatchesTheVectorOfRfc8032) {
  const Ed25519Key key = key_of(kSeed);
  EXPECT_EQ(hex_encode(as_text(key.public_key())),
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  EXPECT_EQ(hex_encode(as_text(key.sign("\xaf\x82"))),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
}

TEST(Ed25519, RefusesWhatWasNotSigned) {
  const Ed25519Key key = key_of(kSeed);
  const auto signature = key.sign("message");
  const std::string_view text = as_text(signature);
  EXPECT_TRUE(ed25519_verify(key.public_key(), "message", text));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "massage", text));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "message", text.substr(0, 63)));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "message", ""));
  EXPECT_FALSE(ed25519_verify(key.public_key(), "message", std::string(64, '\0')));
  Ed25519PublicKey other = key.public_key();
  other[0] ^= 1;
  EXPECT_FALSE(ed25519_verify(other, "message", text));
  other.fill(0xff);
  EXPECT_FALSE(ed25519_verify(other, "message", text));
}

TEST(Ed25519, SignsTheEmptyMessage) {
  const Ed25519Key key = key_of(kSeed);
  EXPECT_TRUE(ed25519_verify(key.public_key(), "", as_text(key.sign(""))));
}

}  // namespace
}  // namespace grapnel::crypto
