#include "app/config.h"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "app/errors.h"
#include "crypto/limits.h"

namespace grapnel::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() { std::filesystem::create_directories(folder_); }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  Result<Config> load(std::string_view text,
                      const std::map<std::string, std::string>& variables = {},
                      const Overrides& overrides = {}) {
    std::ofstream(file_) << text;
    return load_config(file_, look_up(variables), overrides);
  }
  static Variables look_up(const std::map<std::string, std::string>& variables) {
    return [variables](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
  }
  /// The mistakes, without the folder before the file's name.
  std::string mistakes(std::string_view text,
                       const std::map<std::string, std::string>& variables = {},
                       const Overrides& overrides = {}) {
    const auto config = load(text, variables, overrides);
    EXPECT_FALSE(config);
    if (config) return "";
    EXPECT_EQ(config.error().code, make_error_code(errc::bad_config));
    std::string out = config.error().context;
    for (auto at = out.find(folder_); at != std::string::npos; at = out.find(folder_)) {
      out.erase(at, folder_.size() + 1);
    }
    return out;
  }

  std::string folder_ = testing::TempDir() + "grapnel_config_" + std::to_string(getpid());
  std::string file_ = folder_ + "/grapnel.yaml";
};

TEST_F(ConfigTest, WrongCidrSaysLineFieldAndWhatIsExpected) {
  EXPECT_EQ(mistakes("listen: :80\negress:\n  allow:\n    - '10.0/8'\n"),
            "grapnel.yaml:4: egress.allow[0]: expected a CIDR such as 10.0.0.0/8, given '10.0/8'");
  EXPECT_EQ(mistakes("trusted_proxies: [10.1.0.0/8]\n"),
            "grapnel.yaml:1: trusted_proxies[0]: '10.1.0.0/8' has bits behind its prefix; meant is "
            "10.0.0.0/8");
}

TEST_F(ConfigTest, UnknownKeyGetsASuggestion) {
  EXPECT_EQ(mistakes("listen: :1\ndata_dirr: x\n"),
            "grapnel.yaml:2: unknown field 'data_dirr' (did you mean 'data_dir'?)");
  EXPECT_EQ(mistakes("log:\n  format: text\n  levle: info\n"),
            "grapnel.yaml:3: log: unknown field 'levle' (did you mean 'level'?)");
}

TEST_F(ConfigTest, AllMistakesAreReportedAtOnce) {
  const std::string text =
      mistakes("listen: nowhere\nlog:\n  level: loud\nshutdown: {grace: 1m, drain: 5s}\n",
               {{"GRAPNEL_METRICS_LISTEN", "x"}, {"PORT", "70000"}}, {.listen = "1.2.3:4"});
  EXPECT_EQ(
      text,
      "grapnel.yaml:1: listen: expected ADDRESS:PORT such as 0.0.0.0:8080, [::1]:8080 or :8080 "
      "(all addresses), given 'nowhere'\n"
      "grapnel.yaml:3: log.level: expected debug, info, warn, error or off, given 'loud'\n"
      "grapnel.yaml:4: shutdown.drain: expected at least as long as shutdown.grace, which is "
      "part of it\n"
      "PORT: expected a number from 0 to 65535, given '70000'\n"
      "GRAPNEL_METRICS_LISTEN: expected ADDRESS:PORT such as 0.0.0.0:8080, [::1]:8080 or :8080 "
      "(all addresses), given 'x'\n"
      "--listen: expected ADDRESS:PORT such as 0.0.0.0:8080, [::1]:8080 or :8080 (all "
      "addresses), given '1.2.3:4'");
}

TEST_F(ConfigTest, EachWrongValueIsOneLine) {
  for (const auto& [text, expected] : std::map<std::string, std::string>{
           {"listen: 8080\n", "grapnel.yaml:1: listen: expected a text"},
           {"data_dir: ''\n", "grapnel.yaml:1: data_dir: expected a text that is not empty"},
           {"tls:\n  cert: a.pem\n", "grapnel.yaml:1: tls: expected cert and key"},
           {"egress:\n  allow: 10.0.0.0/8\n", "grapnel.yaml:2: egress.allow: expected a list"},
           {"api: {auth: open}\n", "grapnel.yaml:1: api.auth: expected keys or none"},
           {"log: {format: xml}\n", "grapnel.yaml:1: log.format: expected json or text"},
           {"retention: {dead: forever}\n", "grapnel.yaml:1: retention.dead: expected"},
           {"retention: {dead: 1s}\n", "grapnel.yaml:1: retention.dead: expected"},
           {"limits:\n  connections: 0\n", "grapnel.yaml:2: limits.connections: expected"},
           {"limits:\n  wal_bytes: 1KiB\n", "grapnel.yaml:2: limits.wal_bytes: expected"},
           {"limits:\n  body_bytes_in_flight: lots\n",
            "grapnel.yaml:2: limits.body_bytes_in_flight: expected"},
           {"shutdown: {grace: -1s}\n", "grapnel.yaml:1: shutdown.grace: expected"},
           {"metrics_listen: nowhere\n", "grapnel.yaml:1: metrics_listen: expected ADDRESS:PORT"},
           {"log: loud\n", "grapnel.yaml:1: log: expected an object"},
           {"- listen\n", "grapnel.yaml:1: expected an object"},
           {"listen: :1\n---\nlisten: :2\n", "grapnel.yaml:3: expected one document"},
           {"listen: [\n", "grapnel.yaml:2: "}}) {
    const std::string given = mistakes(text);
    EXPECT_THAT(given, testing::StartsWith(expected)) << text;
    EXPECT_THAT(given, Not(HasSubstr("\n"))) << text;
  }
}

TEST_F(ConfigTest, KeysAreNeverRepeatedInMistakes) {
  const std::string text = mistakes("", {{"GRAPNEL_API_KEY", "too-short-s3cret"}, {"PORT", "x"}});
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  const std::string with_blank = mistakes("", {{"GRAPNEL_API_KEY", "long enough but with blanks"}});
  EXPECT_THAT(with_blank, HasSubstr("GRAPNEL_API_KEY: expected 16 to 512 visible"));
  EXPECT_THAT(with_blank, Not(HasSubstr("blanks")));
}

TEST_F(ConfigTest, TooManyOrTooLongOlderKeysAreAMistakeThatRepeatsNone) {
  std::string many = "s3cret";
  for (std::size_t i = 0; i < crypto::kOlderKeysMax; ++i) many += ",s3cret";
  for (const auto& text : {many, std::string(kKeyTextMax + 1, 's')}) {
    EXPECT_EQ(mistakes("", {{"GRAPNEL_MASTER_KEY_OLD", text}}),
              "GRAPNEL_MASTER_KEY_OLD: expected at most 8 keys of at most 512 characters, "
              "separated by commas");
  }
  EXPECT_THAT(mistakes("master_key_older_files: /a\n"),
              HasSubstr("grapnel.yaml:1: master_key_older_files: expected a list"));
}

TEST_F(ConfigTest, MissingFileIsAMistake) {
  const auto config = load_config(folder_ + "/none.yaml", look_up({}));
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().context, HasSubstr("none.yaml: No such file"));
}

TEST_F(ConfigTest, EmptyFileMeansDefaults) {
  const auto config = load("# nothing\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listen.str(), "0.0.0.0:8080");
  EXPECT_EQ(config->metrics_listen->str(), "0.0.0.0:9090");
  EXPECT_EQ(config->data_dir, "./grapnel-data");
  EXPECT_EQ(config->api_auth, ApiAuth::keys);
  EXPECT_FALSE(config->tls);
  EXPECT_TRUE(config->egress_allow.empty());
  EXPECT_EQ(config->shutdown.grace, Millis{5'000});
  EXPECT_EQ(config->shutdown.drain, Millis{25'000});
}

TEST_F(ConfigTest, FileIsRead) {
  const auto config = load(R"(
listen: "[::1]:8081"
metrics_listen: "off"
data_dir: /var/lib/grapnel
tls: {cert: /tls/tls.crt, key: /tls/tls.key}
trusted_proxies: [10.0.0.0/8, fd00::/8]
egress:
  allow: [127.0.0.1/32]
api:
  auth: none
log: {level: debug, format: text}
retention: {finished: 7d, dead: 90d}
limits: {body_bytes_in_flight: 512MiB, connections: 500, wal_bytes: 64MiB}
shutdown: {grace: 1s, drain: 10s}
master_key_file: /keys/master
master_key_older_files: [/keys/first, /keys/second]
)");
  ASSERT_TRUE(config) << config.error().context;
  EXPECT_EQ(config->listen, (Endpoint{"::1", 8081}));
  EXPECT_FALSE(config->metrics_listen);
  EXPECT_EQ(config->tls->certificate, "/tls/tls.crt");
  EXPECT_EQ(config->trusted_proxies.size(), 2u);
  EXPECT_EQ(config->egress_allow[0].str(), "127.0.0.1/32");
  EXPECT_EQ(config->api_auth, ApiAuth::none);
  EXPECT_EQ(config->log.level, telemetry::Level::debug);
  EXPECT_EQ(config->log.format, telemetry::LogFormat::text);
  EXPECT_EQ(config->retention.dead, Millis{90LL * 86'400'000});
  EXPECT_EQ(config->limits.connections, 500u);
  EXPECT_EQ(config->limits.wal_bytes, 64_MiB);
  EXPECT_EQ(config->shutdown.grace, Millis{1'000});
  EXPECT_EQ(config->master_key_file, "/keys/master");
  EXPECT_EQ(config->master_key_older_files,
            (std::vector<std::string>{"/keys/first", "/keys/second"}));
}

TEST_F(ConfigTest, EnvironmentWinsOverFileAndCommandLineOverBoth) {
  const std::map<std::string, std::string> variables{
      {"GRAPNEL_LISTEN", ":2"},
      {"GRAPNEL_METRICS_LISTEN", "off"},
      {"GRAPNEL_DATA_DIR", "/env"},
      {"GRAPNEL_EGRESS_ALLOW", "10.0.0.0/8, 192.168.0.0/16,"},
      {"GRAPNEL_LOG_LEVEL", "error"},
      {"GRAPNEL_LOG_FORMAT", "text"},
      {"GRAPNEL_API_KEY", "0123456789abcdef"},
      {"GRAPNEL_MASTER_KEY", "m"},
      {"GRAPNEL_MASTER_KEY_OLD", "a, b,"}};
  const auto config = load("listen: :1\ndata_dir: /file\negress: {allow: [127.0.0.1/32]}\n",
                           variables, {.data_dir = "/line"});
  ASSERT_TRUE(config) << config.error().context;
  EXPECT_EQ(config->listen, (Endpoint{"", 2}));
  EXPECT_FALSE(config->metrics_listen);
  EXPECT_EQ(config->data_dir, "/line");
  ASSERT_EQ(config->egress_allow.size(), 2u);
  EXPECT_EQ(config->egress_allow[1].str(), "192.168.0.0/16");
  EXPECT_EQ(config->log.level, telemetry::Level::error);
  EXPECT_EQ(config->api_key.reveal(), "0123456789abcdef");
  EXPECT_EQ(config->master_key.reveal(), "m");
  ASSERT_EQ(config->older_master_keys.size(), 2u);
  EXPECT_EQ(config->older_master_keys[1].reveal(), "b");
}

TEST_F(ConfigTest, PortMeansAllIpv4AddressesAndGivesWayToListen) {
  EXPECT_EQ(load("listen: :1\n", {{"PORT", "9999"}})->listen, (Endpoint{"0.0.0.0", 9999}));
  EXPECT_EQ(load("", {{"PORT", "9999"}, {"GRAPNEL_LISTEN", ":7"}})->listen, (Endpoint{"", 7}));
}

TEST_F(ConfigTest, EmptyVariableCountsAsNotSet) {
  EXPECT_EQ(load("listen: :1\n", {{"GRAPNEL_LISTEN", ""}})->listen, (Endpoint{"", 1}));
}

TEST_F(ConfigTest, ShownSettingsHoldNoKey) {
  const auto config = load("", {{"GRAPNEL_API_KEY", "0123456789abcdef"},
                                {"GRAPNEL_MASTER_KEY", "very-s3cret"},
                                {"GRAPNEL_MASTER_KEY_OLD", "old-s3cret"}});
  ASSERT_TRUE(config);
  const std::string shown = boost::json::serialize(to_json(*config));
  EXPECT_THAT(shown, HasSubstr(R"("GRAPNEL_API_KEY":"set")"));
  EXPECT_THAT(shown, Not(HasSubstr("s3cret")));
  EXPECT_THAT(shown, Not(HasSubstr("0123456789abcdef")));
}

TEST_F(ConfigTest, ShownSettingsReadBackTheSame) {
  const auto config =
      load("listen: '[::]:1'\nlimits: {wal_bytes: 300MiB}\nmaster_key_older_files: [/a, /b]\n");
  ASSERT_TRUE(config);
  auto shown = to_json(*config);
  shown.erase("environment");
  const auto again = load(boost::json::serialize(shown));
  ASSERT_TRUE(again) << again.error().context;
  auto shown_again = to_json(*again);
  shown_again.erase("environment");
  EXPECT_EQ(shown_again, shown);
}

TEST(Endpoint, FormsThatAreUnderstood) {
  EXPECT_EQ(*parse_endpoint("127.0.0.1:0"), (Endpoint{"127.0.0.1", 0}));
  EXPECT_EQ(*parse_endpoint("localhost:80"), (Endpoint{"127.0.0.1", 80}));
  EXPECT_EQ(*parse_endpoint("[::1]:80"), (Endpoint{"::1", 80}));
  EXPECT_EQ(*parse_endpoint(":80"), (Endpoint{"", 80}));
  for (const auto* text : {"", ":", "80", "::1:80", "[127.0.0.1]:80", "[]:80", "host:80",
                           "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "127.0.0.1:"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

}  // namespace
}  // namespace grapnel::app
