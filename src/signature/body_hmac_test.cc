#include "signature/body_hmac.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "signature/errors.h"

namespace grapnel::signature {
namespace {

// The example of GitHub's documentation, whose X-Hub-Signature-256 has the same form.
constexpr std::string_view kSecret = "It's a Secret to Everybody";
constexpr std::string_view kBody = "Hello, World!";
constexpr std::string_view kValue =
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

TEST(BodyHmac, RefusesEverythingElse) {
  EXPECT_EQ(verify_body(kSecret, "", kBody).error().code, errc::missing_header);
  EXPECT_EQ(verify_body("", kValue, kBody).error().code, errc::bad_key);
  EXPECT_EQ(verify_body("other", kValue, kBody).error().code, errc::no_match);
  EXPECT_EQ(verify_body(kSecret, kValue, "Hello, World").error().code, errc::no_match);
  const std::string value(kValue);
  for (const std::string& text :
       {value.substr(7), "sha1=" + value.substr(7), value.substr(0, value.size() - 1),
        value.substr(0, value.size() - 2), value + "00", " " + value, std::string("sha256="),
        value.substr(0, value.size() - 1) + "g"}) {
    EXPECT_EQ(verify_body(kSecret, text, kBody).error().code, errc::malformed_signature) << text;
  }
}

TEST(BodyHmac, SignsAndVerifiesThePublishedVector) {
  EXPECT_EQ(sign_body(kSecret, kBody), kValue);
  EXPECT_TRUE(verify_body(kSecret, kValue, kBody));
}

TEST(BodyHmac, DigitsOfEitherCaseVerify) {
  std::string upper(kValue);
  std::transform(upper.begin() + 7, upper.end(), upper.begin() + 7, ::toupper);
  EXPECT_TRUE(verify_body(kSecret, upper, kBody));
}

TEST(BodyHmac, KeyIsTheTextAsWritten) {
  EXPECT_NE(sign_body("whsec_AAAA", kBody), sign_body(std::string(3, '\0'), kBody));
}

}  // namespace
}  // namespace grapnel::signature
