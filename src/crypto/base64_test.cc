#include "crypto/base64.h"

#include <gtest/gtest.h>

#include "crypto/errors.h"

namespace grapnel::crypto {
namespace {

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text).value(), bytes);
  }
}

TEST(Base64, KeepsEveryByteValue) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(base64_decode(base64_encode(bytes)).value(), bytes);
  EXPECT_EQ(hex_decode(hex_encode(bytes)).value(), bytes);
}

TEST(Base64, StrictRefusesWhatIsNotTheOneText) {
  for (const std::string_view text : {"Zg", "Zg=", "Zg===", "Z===", "=", "====", "Zg==Zg==",
                                      "Zm9v\n", " Zm9v", "Zm-_", "Zh==", "Zm9=", "Zm9v=", "Z=g="}) {
    const auto decoded = base64_decode(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, errc::malformed);
  }
}

TEST(Base64, LenientTakesMissingPaddingAndUnusedBits) {
  EXPECT_EQ(base64_decode_lenient("Zg").value(), "f");
  EXPECT_EQ(base64_decode_lenient("Zm8").value(), "fo");
  EXPECT_EQ(base64_decode_lenient("Zm8=").value(), "fo");
  EXPECT_EQ(base64_decode_lenient("Zh==").value(), "f");
  for (const std::string_view text : {"Z", "Zg=", "Zm9vY", "Zm 9v", "Zm-_", "="}) {
    EXPECT_FALSE(base64_decode_lenient(text)) << text;
  }
}

TEST(Base64, ErrorsShowNoContent) {
  EXPECT_EQ(base64_decode("c2Vjcm!0").error().message(), "not base64: character 7");
  EXPECT_EQ(hex_decode("0123zz").error().message(), "not hexadecimal: digit 5");
}

TEST(Base64, UrlFormHasNoPaddingAndNoSlash) {
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
  EXPECT_EQ(base64_encode("\xfb\xff"), "+/8=");
}

TEST(Hex, ReadsEitherCaseAndWritesLower) {
  EXPECT_EQ(hex_decode("DEADbeef").value(), "\xde\xad\xbe\xef");
  EXPECT_EQ(hex_encode("\xde\xad\xbe\xef"), "deadbeef");
  for (const std::string_view text : {"0", "0g", "g0", "0x", " 0"}) EXPECT_FALSE(hex_decode(text));
}

}  // namespace
}  // namespace grapnel::crypto
