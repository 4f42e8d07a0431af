#include "crypto/secret.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>

namespace grapnel::crypto {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!Streamable<Secret>, "a secret has no text form");
static_assert(!fmt::is_formattable<Secret>::value, "a secret has no text form");
static_assert(!std::is_convertible_v<Secret, std::string_view>, "only reveal() shows it");

TEST(Secret, CopiesAreIndependent) {
  Secret a{std::string_view("one")};
  Secret b = a;
  a = Secret{std::string_view("two")};
  EXPECT_EQ(b.reveal(), "one");
  EXPECT_EQ(a.reveal(), "two");
}

TEST(Secret, MovedFromIsEmpty) {
  Secret a{std::string_view("one")};
  const Secret b = std::move(a);
  EXPECT_EQ(b.reveal(), "one");
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(a.reveal(), "");
}

TEST(Secret, SelfAssignmentKeepsIt) {
  Secret a{std::string_view("one")};
  const Secret& same = a;
  a = same;
  EXPECT_EQ(a.reveal(), "one");
}

TEST(Secret, TakeWipesTheOriginal) {
  for (const std::size_t size : {5U, 500U}) {
    std::string text(size, 'x');
    const char* data = text.data();
    const Secret secret = Secret::take(std::move(text));
    EXPECT_EQ(secret.reveal(), std::string(size, 'x'));
    EXPECT_TRUE(text.empty());
    text.resize(text.capacity());  // the same buffer, which still exists
    EXPECT_EQ(text.data(), data);
    EXPECT_EQ(text.find('x'), std::string::npos);
  }
}

TEST(Secret, WipeOverwritesAll) {
  char bytes[] = "secret";
  wipe(bytes, sizeof bytes);
  for (const char byte : bytes) EXPECT_EQ(byte, 0);
}

}  // namespace
}  // namespace grapnel::crypto
