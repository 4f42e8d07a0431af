#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include "crypto/base64.h"

namespace grapnel::crypto {
namespace {

std::string hex_of(HashKind hash, std::string_view key, std::string_view message) {
  HmacStream whole(hash, key);
  whole.add(message);
  const std::string out = whole.finish();
  HmacStream pieces(hash, key);
  for (const char c : message) pieces.add({&c, 1});
  EXPECT_EQ(pieces.finish(), out);
  EXPECT_EQ(out.size(), digest_bytes(hash));
  return hex_encode(out);
}

TEST(Hmac, GivesTheVectorsOfRfc2202AndRfc4231) {
  constexpr std::string_view kMessage = "what do ya want for nothing?";
  EXPECT_EQ(hex_of(HashKind::sha1, "Jefe", kMessage), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hex_of(HashKind::sha256, "Jefe", kMessage),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_of(HashKind::sha512, "Jefe", kMessage),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

TEST(Hmac, TakesEmptyKeysAndMessages) {
  EXPECT_EQ(hex_of(HashKind::sha256, "", ""),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace grapnel::crypto
