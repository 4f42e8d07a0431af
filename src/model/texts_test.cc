#include "model/texts.h"

#include <gtest/gtest.h>

#include "model/errors.h"

namespace grapnel::model {
namespace {

TEST(Texts, UnknownWordsAreNotGuessed) {
  EXPECT_FALSE(from_text<DeliveryState>("Pending"));
  EXPECT_FALSE(from_text<DeliveryState>(""));
  EXPECT_FALSE(parse_scheme("v2"));
  EXPECT_FALSE(from_text<SourceMode>("active "));
}

template <class Enum>
void expect_all_read_back(std::size_t count) {
  ASSERT_EQ(texts_of<Enum>().size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<Enum>(i);
    EXPECT_EQ(from_text<Enum>(to_text(value)), value) << to_text(value);
  }
}

TEST(Texts, EveryValueIsReadBack) {
  expect_all_read_back<SourceMode>(3);
  expect_all_read_back<ManagedBy>(3);
  expect_all_read_back<DesiredState>(3);
  expect_all_read_back<Health>(4);
  expect_all_read_back<OnDead>(2);
  expect_all_read_back<OnFull>(2);
  expect_all_read_back<RetryOn>(2);
  expect_all_read_back<KeyScope>(4);
  expect_all_read_back<DeliveryState>(6);
  expect_all_read_back<EndReason>(10);
  expect_all_read_back<AttemptResult>(4);
  expect_all_read_back<AttemptStep>(11);
  expect_all_read_back<FanoutState>(9);
  expect_all_read_back<JobState>(3);
  expect_all_read_back<Admission>(6);
  expect_all_read_back<ScriptFault>(10);
  expect_all_read_back<SandboxPart>(2);
}

TEST(Texts, WordsMeanWhatTheContractCallsThem) {
  EXPECT_EQ(to_text(OnDead::go_on), "continue");
  EXPECT_EQ(to_text(DeliveryState::cancelled), "cancelled");
  EXPECT_EQ(to_text(EndReason::bad_configuration), "bad_configuration");
  EXPECT_EQ(to_text(AttemptStep::status), "status");
  EXPECT_EQ(to_text(FanoutState::dead), "dead");
  EXPECT_EQ(scheme_texts(kSchemeV1 | kSchemeSha256),
            (std::vector<std::string_view>{"v1", "sha256"}));
}

TEST(Place, TextThatIsNeitherHeaderNorPointerIsRefused) {
  for (const auto* text :
       {"", "header:", "header:a b", "X-Id", "id", "/", "/a~", "/a~2", "/a\nb"}) {
    const auto place = parse_place(text);
    ASSERT_FALSE(place) << text;
    EXPECT_EQ(place.error().code, make_error_code(errc::malformed));
    EXPECT_NE(place.error().context.find("expected header:Name"), std::string::npos);
  }
  EXPECT_FALSE(parse_place("/" + std::string(300, 'a')));
}

TEST(Place, IsReadBackAsItWasWritten) {
  for (const auto* text : {"header:X-GitHub-Event", "/id", "/data/a~1b/0"}) {
    const auto place = parse_place(text);
    ASSERT_TRUE(place) << text;
    EXPECT_EQ(to_text(*place), text);
  }
  EXPECT_EQ(parse_place("header:X-Id")->kind, Place::Kind::header);
  EXPECT_EQ(parse_place("/id")->kind, Place::Kind::pointer);
}

}  // namespace
}  // namespace grapnel::model
