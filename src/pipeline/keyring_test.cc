#include "pipeline/keyring.h"

#include <gtest/gtest.h>

namespace grapnel::pipeline {
namespace {

class KeyringTest : public testing::Test {
 protected:
  model::Action action_with(std::string_view secret) {
    model::Action action;
    action.id.bytes[15] = 1;
    action.revision = 1;
    action.secrets = {{.sealed = seal_for(box, action.id, secret).value()}};
    return action;
  }

  SeededRandom random{1};
  crypto::SecretBox box{random, crypto::MasterKey::make(random)};
  Keyring keyring{box};
};

TEST_F(KeyringTest, SecretOfAnotherActionDoesNotOpen) {
  auto action = action_with("plain text");
  action.id.bytes[15] = 2;
  EXPECT_FALSE(keyring.of(action));
}

TEST_F(KeyringTest, DamagedSecretDoesNotOpenAndIsTriedAgainAtTheNextRevision) {
  auto action = action_with("plain text");
  const auto good = action.secrets;
  action.secrets[0].sealed[action.secrets[0].sealed.size() / 2] ^= 1;
  EXPECT_FALSE(keyring.of(action));
  action.secrets = good;
  ++action.revision;
  EXPECT_TRUE(keyring.of(action));
}

TEST_F(KeyringTest, OpensOncePerRevision) {
  auto action = action_with("plain text");
  const auto first = keyring.of(action);
  const auto again = keyring.of(action);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*first, *again);
  ++action.revision;
  const auto later = keyring.of(action);
  ASSERT_TRUE(later);
  EXPECT_NE(*first, *later);
}

TEST_F(KeyringTest, ActionWithoutSecretsHasASignerThatSignsNothing) {
  model::Action action;
  action.revision = 1;
  const auto signer = keyring.of(action);
  ASSERT_TRUE(signer);
  const auto headers = (*signer)->sign("evt_1", {}, "body", 0);
  ASSERT_TRUE(headers);
  EXPECT_FALSE(model::find_header(*headers, "webhook-signature"));
}

}  // namespace
}  // namespace grapnel::pipeline
