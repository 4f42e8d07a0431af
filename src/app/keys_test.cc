#include "app/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/errors.h"
#include "app/secret_file.h"
#include "crypto/limits.h"
#include "crypto/token.h"
#include "doubles/drive.h"
#include "doubles/manual_clock.h"
#include "doubles/memory_store.h"

namespace grapnel::app {
namespace {

using testing::HasSubstr;

class KeysTest : public testing::Test {
 protected:
  KeysTest() {
    std::filesystem::create_directories(folder_);
    config_.data_dir = folder_;
  }
  ~KeysTest() override { std::filesystem::remove_all(folder_); }

  static std::string text_of(char digit) { return std::string(64, digit); }
  static crypto::SecretBox box_of(char digit) {
    static SeededRandom random(7);
    return {random, crypto::parse_master_key(text_of(digit)).value()};
  }
  void set_key(char digit) { config_.master_key = crypto::Secret(text_of(digit)); }
  void add_older(char digit) { config_.older_master_keys.emplace_back(text_of(digit)); }

  template <class T>
  T run(async::Task<T> task) {
    return doubles::run(loop_, std::move(task));
  }
  Result<Keys> open() { return open_keys(config_, *store_.snapshot(), random_); }
  /// Opens, which must succeed.
  Keys keys() {
    auto opened = open();
    if (!opened) throw std::runtime_error(opened.error().message());
    return std::move(*opened);
  }
  std::string refusal() {
    const auto opened = open();
    EXPECT_FALSE(opened);
    return opened ? "" : opened.error().message();
  }
  /// An action with one secret a given key.
  void add_action(std::initializer_list<char> digits) {
    model::Source source;
    source.id = ids_.make<model::SourceId>();
    source.name = source.slug = "s" + std::to_string(++sources_);
    model::Action action;
    action.id = ids_.make<model::ActionId>();
    action.source = source.id;
    action.name = "out";
    action.target_url = "https://example.test/";
    for (const char digit : digits) {
      action.secrets.push_back(
          {.sealed = box_of(digit).seal("whsec_text", action.id.str()).value(), .created = {}});
    }
    std::vector<model::RegistryChange> changes;
    changes.emplace_back(model::PutSource{.source = source});
    changes.emplace_back(model::PutAction{.action = action});
    const auto done = run(store_.commit(std::move(changes)));
    ASSERT_TRUE(done) << done.error().message();
  }
  std::vector<std::string> sealed() {
    std::vector<std::string> out;
    const auto snapshot = store_.snapshot();
    for (const auto& [id, entry] : snapshot->sources) {
      for (const auto& action : entry->actions) {
        for (const auto& secret : action->secrets) out.push_back(secret.sealed);
      }
    }
    return out;
  }

  std::string folder_ = testing::TempDir() + "grapnel_keys_" + std::to_string(getpid());
  Config config_;
  async::Loop loop_{1};
  doubles::ManualClock clock_;
  SeededRandom random_{1};
  doubles::MemoryStore store_{loop_, clock_};
  IdSource ids_{store_.clock(), random_};
  int sources_ = 0;
};

TEST_F(KeysTest, MissingKeyOfASealedSecretRefusesAndWritesNothing) {
  add_action({'1'});
  EXPECT_THAT(refusal(), HasSubstr("the master key is missing: set GRAPNEL_MASTER_KEY"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(KeysTest, UnknownKeyRefusesAndNamesTheKeyAndTheSettings) {
  add_action({'1'});
  set_key('2');
  const std::string text = refusal();
  EXPECT_THAT(text, HasSubstr("action out of source s1"));
  EXPECT_THAT(text, HasSubstr(box_of('1').key_name()));
  EXPECT_THAT(text, HasSubstr("GRAPNEL_MASTER_KEY_OLD"));
  EXPECT_THAT(text, HasSubstr("master_key_older_files"));
  add_older('3');
  EXPECT_EQ(refusal(), text) << "an older key that sealed nothing does not help";
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(KeysTest, DigestKeyUnderAnUnknownKeyRefuses) {
  set_key('1');
  keys();
  set_key('2');
  EXPECT_THAT(refusal(), HasSubstr("digest.key does not open"));
}

TEST_F(KeysTest, MalformedKeysAreBlamedOnTheirSettingAndNotRepeated) {
  config_.master_key = crypto::Secret("s3cret");
  EXPECT_THAT(refusal(), testing::StartsWith("GRAPNEL_MASTER_KEY: "));
  set_key('1');
  config_.older_master_keys.emplace_back("s3cret");
  EXPECT_THAT(refusal(), testing::StartsWith("GRAPNEL_MASTER_KEY_OLD: "));
  EXPECT_THAT(refusal(), testing::Not(HasSubstr("s3cret")));
  config_.older_master_keys.clear();
  config_.master_key_older_files = {folder_ + "/old"};
  EXPECT_THAT(refusal(), HasSubstr("master_key_older_files: " + folder_ + "/old does not exist"));
  ASSERT_TRUE(write_secret_file(folder_ + "/old", "s3cret"));
  EXPECT_THAT(refusal(), testing::StartsWith(folder_ + "/old: "));
  config_.master_key_older_files.assign(crypto::kOlderKeysMax + 1, folder_ + "/good");
  ASSERT_TRUE(write_secret_file(folder_ + "/good", text_of('3')));
  EXPECT_THAT(refusal(), HasSubstr("at most 8 keys together, given 9"));
}

TEST_F(KeysTest, FirstStartMakesAKeyThatTheNextOneFinds) {
  const Keys first = keys();
  EXPECT_EQ(first.made_file, folder_ + "/master.key");
  const Keys second = keys();
  EXPECT_EQ(second.made_file, "");
  EXPECT_EQ(second.box.key_name(), first.box.key_name());
  EXPECT_EQ(second.digest.text_of("x"), first.digest.text_of("x"));
}

TEST_F(KeysTest, RotationSealsEverythingAnewAndTheOldKeyCanGo) {
  set_key('1');
  const std::string digest = keys().digest.text_of("x");
  add_action({'1', '1'});
  add_action({'2', '1'});
  add_action({});
  set_key('2');
  add_older('1');
  const auto revision = store_.snapshot()->revision;
  {
    const Keys rotated = keys();
    EXPECT_EQ(run(seal_anew(rotated.box, store_, folder_)), 4u) << "three secrets, the digest key";
    EXPECT_EQ(store_.snapshot()->revision, revision + 1) << "one commit";
    for (const auto& text : sealed()) EXPECT_FALSE(rotated.box.is_outdated(text));
    EXPECT_EQ(run(seal_anew(rotated.box, store_, folder_)), 0u);
    EXPECT_EQ(store_.snapshot()->revision, revision + 1);
  }
  config_.older_master_keys.clear();
  const Keys after = keys();
  EXPECT_EQ(after.digest.text_of("x"), digest) << "digests stay the same";
  const auto snapshot = store_.snapshot();
  for (const auto& [id, entry] : snapshot->sources) {
    for (const auto& action : entry->actions) {
      for (const auto& secret : action->secrets) {
        EXPECT_EQ(after.box.open(secret.sealed, action->id.str()).value().reveal(), "whsec_text");
      }
    }
  }
}

TEST_F(KeysTest, RotationThatFailsLeavesWhatBothKeysOpen) {
  set_key('1');
  keys();
  add_action({'1'});
  set_key('2');
  add_older('1');
  const Keys rotated = keys();
  store_.set_outage(model::errc::store_full);
  EXPECT_FALSE(run(seal_anew(rotated.box, store_, folder_)));
  store_.set_outage({});
  EXPECT_TRUE(open());
  config_.older_master_keys.clear();
  EXPECT_FALSE(open());
}

TEST_F(KeysTest, MovedAwayKeyFileListedAsOlderMakesANewKey) {
  const auto old_name = keys().box.key_name();
  std::filesystem::rename(folder_ + "/master.key", folder_ + "/master.key.old");
  config_.master_key_older_files = {folder_ + "/master.key.old"};
  const Keys rotated = keys();
  EXPECT_EQ(rotated.made_file, folder_ + "/master.key");
  EXPECT_NE(rotated.box.key_name(), old_name);
  EXPECT_EQ(run(seal_anew(rotated.box, store_, folder_)), 1u);
  config_.master_key_older_files.clear();
  EXPECT_EQ(keys().box.key_name(), rotated.box.key_name());
}

TEST_F(KeysTest, FirstAdminKeyIsMadeOnceAndItsRowHoldsTheHash) {
  std::ofstream(folder_ + "/admin.key") << "left by a start that was cut off";
  const auto first = run(make_first_key(store_, ids_, random_, folder_));
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*read_secret_file((*first)->file))->reveal(), (*first)->token.reveal());
  const auto snapshot = store_.snapshot();
  ASSERT_EQ(snapshot->keys.size(), 1u);
  const auto& key = snapshot->keys.begin()->second;
  EXPECT_EQ(key.hash, crypto::token_hash((*first)->token.reveal()));
  EXPECT_EQ(key.scope, model::KeyScope::admin);
  const auto second = run(make_first_key(store_, ids_, random_, folder_));
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
}

TEST_F(KeysTest, FirstAdminKeyThatCannotBeStoredIsAnError) {
  store_.set_outage(model::errc::store_read_only);
  EXPECT_FALSE(run(make_first_key(store_, ids_, random_, folder_)));
  store_.set_outage({});
  const auto again = run(make_first_key(store_, ids_, random_, folder_));
  EXPECT_TRUE(again && *again);
}

}  // namespace
}  // namespace grapnel::app
