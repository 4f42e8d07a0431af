#include "crypto/secret_box.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/digest.h"
#include "crypto/errors.h"
#include "crypto/limits.h"

namespace grapnel::crypto {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

MasterKey key_of(char digit) { return parse_master_key(std::string(64, digit)).value(); }

class SecretBoxTest : public ::testing::Test {
 protected:
  SeededRandom random_{7};
  SecretBox box_{random_, key_of('1')};
};

TEST_F(SecretBoxTest, WrongKeyIsNamedInTheMessage) {
  const std::string sealed = box_.seal("top secret", "act_1").value();
  const SecretBox other(random_, key_of('2'));
  const auto opened = other.open(sealed, "act_1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::wrong_key);
  EXPECT_THAT(opened.error().message(),
              AllOf(HasSubstr(box_.key_name()), HasSubstr(other.key_name()),
                    HasSubstr("GRAPNEL_MASTER_KEY"), Not(HasSubstr("1111"))));
}

TEST_F(SecretBoxTest, AnotherContextDoesNotOpen) {
  const std::string sealed = box_.seal("top secret", "act_1").value();
  EXPECT_EQ(box_.open(sealed, "act_2").error().code, errc::damaged);
  EXPECT_EQ(box_.open(sealed, "").error().code, errc::damaged);
}

TEST_F(SecretBoxTest, EveryChangedCharacterIsNoticed) {
  const std::string sealed = box_.seal("top secret", "act_1").value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(box_.open(changed, "act_1")) << i;
    EXPECT_FALSE(box_.open(sealed.substr(0, i), "act_1")) << i;
  }
  EXPECT_FALSE(box_.open(sealed + "A", "act_1"));
}

TEST_F(SecretBoxTest, TextsThatAreNotSealedAreDamaged) {
  for (const std::string_view text :
       {"", "v1", "v1:", "v1:00000000", "v1:0000000g:AAAA", "v2:00000000:AAAA", "plain text"}) {
    EXPECT_EQ(box_.open(text, "c").error().code, errc::damaged) << text;
    EXPECT_FALSE(key_name_of(text)) << text;
  }
  EXPECT_EQ(box_.open("v1:" + box_.key_name() + ":AAAA", "c").error().code, errc::damaged);
}

TEST_F(SecretBoxTest, OpensWhatItSealed) {
  for (const std::string& text : {std::string(), std::string("x"), std::string("\0\xff", 2),
                                  std::string(kPlaintextBytesMax, 'k')}) {
    const auto opened = box_.open(box_.seal(text, "act_1").value(), "act_1");
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->reveal(), text);
  }
  EXPECT_EQ(box_.open(box_.seal("x", "").value(), "").value().reveal(), "x");
  EXPECT_EQ(box_.seal(std::string(kPlaintextBytesMax + 1, 'k'), "c").error().code, errc::too_large);
}

TEST_F(SecretBoxTest, SealedTextHasTheDocumentedForm) {
  const std::string sealed = box_.seal("abc", "c").value();
  const std::string key(32, '\x11');
  const std::string name = hex_encode(as_text(sha256("grapnel master key" + key))).substr(0, 8);
  ASSERT_EQ(sealed.substr(0, 12), "v1:" + name + ":");
  EXPECT_EQ(key_name_of(sealed), name);
  EXPECT_EQ(base64_decode(sealed.substr(12)).value().size(), 12U + 3U + 16U);
  EXPECT_THAT(sealed, Not(HasSubstr("abc")));
}

TEST_F(SecretBoxTest, SealingTwiceGivesTwoTexts) {
  EXPECT_NE(box_.seal("abc", "c").value(), box_.seal("abc", "c").value());
}

TEST_F(SecretBoxTest, RotationOpensOldTextsAndSealsWithTheNewKey) {
  const std::string old = box_.seal("abc", "c").value();
  const SecretBox rotated(random_, key_of('2'), {key_of('3'), key_of('1')});
  EXPECT_EQ(rotated.open(old, "c").value().reveal(), "abc");
  EXPECT_TRUE(rotated.is_outdated(old));
  const std::string fresh = rotated.seal("abc", "c").value();
  EXPECT_FALSE(rotated.is_outdated(fresh));
  EXPECT_EQ(box_.open(fresh, "c").error().code, errc::wrong_key);
}

TEST_F(SecretBoxTest, DerivedKeysDifferByLabelAndByMasterKey) {
  const Secret a = box_.derive("a");
  EXPECT_EQ(a.reveal().size(), 32U);
  EXPECT_EQ(a.reveal(), box_.derive("a").reveal());
  EXPECT_NE(a.reveal(), box_.derive("b").reveal());
  EXPECT_NE(a.reveal(), SecretBox(random_, key_of('2')).derive("a").reveal());
}

TEST(MasterKey, RefusalsSayWhatIsExpected) {
  for (const std::string& text :
       {std::string(), std::string("short"), std::string(63, '1'), std::string(64, 'z'),
        std::string(65, '1'), base64_encode(std::string(31, 'k')),
        base64_encode(std::string(33, 'k')), std::string(100'000, '1')}) {
    const auto key = parse_master_key(text);
    ASSERT_FALSE(key) << text.size();
    EXPECT_EQ(key.error().code, errc::malformed);
    EXPECT_THAT(key.error().message(), AllOf(HasSubstr("64 hexadecimal"), HasSubstr("base64")));
  }
}

TEST(MasterKey, ReadsHexAndBase64OfTheSameKey) {
  const std::string bytes = "0123456789abcdefGHIJKLMNOPQRSTUV";
  const std::string base64 = base64_encode(bytes);
  for (const std::string& text :
       {hex_encode(bytes), base64, base64.substr(0, 43), "  " + hex_encode(bytes) + "\r\n"}) {
    const auto key = parse_master_key(text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(key->bytes(), bytes);
  }
}

TEST(MasterKey, MadeKeyReadsBack) {
  SystemRandom random;
  const MasterKey key = MasterKey::make(random);
  const auto read = parse_master_key(key.text().reveal());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name(), key.name());
  EXPECT_NE(MasterKey::make(random).name(), key.name());
}

}  // namespace
}  // namespace grapnel::crypto
