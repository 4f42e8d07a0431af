#include "surface/cli/run.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "surface/cli/scripted_terminal.h"

namespace grapnel::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string header_of(const ScriptedTerminal::Request& request, std::string_view name) {
  return std::string(model::find_header(request.headers, name).value_or("(none)"));
}

TEST(Run, ServerThatIsNotThereIsOneLineAndExitCode3) {
  ScriptedTerminal terminal;
  terminal.fail_with(model::AttemptStep::connect, "connect: connection refused");
  EXPECT_EQ(terminal.run({"get", "sources"}), 3);
  EXPECT_EQ(
      terminal.err,
      "grapnel: no answer from http://127.0.0.1:8080: connect: connection refused; is `grapnel "
      "serve` running there? (--server or GRAPNEL_SERVER name another)\n");
  EXPECT_THAT(terminal.out, IsEmpty());
}

TEST(Run, StatusDecidesTheExitCode) {
  for (const auto& [status, code] : {std::pair{400, 1},
                                     {401, 5},
                                     {403, 5},
                                     {404, 4},
                                     {409, 1},
                                     {412, 1},
                                     {429, 1},
                                     {500, 1},
                                     {503, 1}}) {
    ScriptedTerminal terminal;
    terminal.answer("GET /api/deliveries/dlv_1", status, R"({"detail":"said by the server"})");
    EXPECT_EQ(terminal.run({"get", "delivery", "dlv_1"}), code) << status;
    EXPECT_THAT(terminal.err, HasSubstr("grapnel: said by the server")) << status;
  }
}

TEST(Run, MissingKeySaysWhereToFindOne) {
  ScriptedTerminal terminal;
  terminal.variables.clear();
  terminal.answer("GET /api/sources?limit=51", 401, R"({"detail":"a key is needed"})");
  EXPECT_EQ(terminal.run({"get", "sources"}), 5);
  EXPECT_THAT(terminal.err, HasSubstr("set GRAPNEL_API_KEY or --key-file"));
  EXPECT_EQ(header_of(terminal.requests[0], "Authorization"), "(none)");
}

TEST(Run, MistakesListedByTheServerAreLines) {
  ScriptedTerminal terminal;
  terminal.answer("POST /api/keys", 400, R"({"detail":"a","errors":["name: is empty","x: no"]})");
  EXPECT_EQ(terminal.run({"keys", "create", "x"}), 1);
  EXPECT_EQ(terminal.err, "grapnel: name: is empty\ngrapnel: x: no\n");
}

TEST(Run, AnswerOfSomethingElseIsSaid) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/sources?limit=51", 200, "<html>");
  EXPECT_EQ(terminal.run({"get", "sources"}), 1);
  EXPECT_THAT(terminal.err, HasSubstr("is it a Grapnel server?"));
  terminal.answer("GET /api/keys?limit=51", 302, "", {{"Location", "https://elsewhere/"}});
  EXPECT_EQ(terminal.run({"get", "keys"}), 1);
  EXPECT_THAT(terminal.err, HasSubstr("redirects to https://elsewhere/"));
}

TEST(Run, TextsOfTheServerCannotDriveTheTerminal) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/sources?limit=51", 200,
                  R"([{"slug":"a\u001b[2Jb","name":"c\u009bd","mode":"active"}])");
  EXPECT_EQ(terminal.run({"get", "sources"}), 0);
  EXPECT_THAT(terminal.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(terminal.out, HasSubstr("a\\x1b[2Jb"));
  EXPECT_THAT(terminal.out, HasSubstr("c\\x9bd"));
}

TEST(Run, KeyComesFromTheEnvironmentAndGoesToTheServerAsBearer) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/sources?limit=51", 200, "[]");
  EXPECT_EQ(terminal.run({"get", "sources"}), 0);
  EXPECT_EQ(header_of(terminal.requests[0], "Authorization"), "Bearer test-key");
  EXPECT_EQ(terminal.err, "nothing found\n");
}

class KeyFile : public testing::Test {
 protected:
  KeyFile() {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/admin.key") << "found-key\n";
    terminal_.variables = {{"GRAPNEL_DATA_DIR", folder_}};
  }
  ~KeyFile() override { std::filesystem::remove_all(folder_); }

  std::string folder_ = testing::TempDir() + "grapnel_run_" + std::to_string(getpid());
  ScriptedTerminal terminal_;
};

TEST_F(KeyFile, OfTheDataDirectoryIsUsedOnThisMachine) {
  terminal_.run({"get", "sources"});
  EXPECT_EQ(header_of(terminal_.requests.at(0), "Authorization"), "Bearer found-key");
}

TEST_F(KeyFile, OfTheDataDirectoryIsNeverSentElsewhere) {
  for (const auto* server : {"http://example.com", "https://127.0.0.1.example.com:8080",
                             "http://10.0.0.1:8080", "http://localhost.example.com"}) {
    terminal_.run({"get", "sources", "--server", server});
    EXPECT_EQ(header_of(terminal_.requests.at(0), "Authorization"), "(none)") << server;
  }
}

TEST_F(KeyFile, ThatIsNamedMustBeReadable) {
  EXPECT_EQ(terminal_.run({"get", "sources", "--key-file", folder_ + "/none"}), 2);
  EXPECT_THAT(terminal_.err, HasSubstr("/none: No such file"));
  terminal_.run(
      {"get", "sources", "--server", "http://example.com", "--key-file", folder_ + "/admin.key"});
  EXPECT_EQ(header_of(terminal_.requests.at(0), "Authorization"), "Bearer found-key");
}

TEST(Run, ServerMustBeAUrl) {
  ScriptedTerminal terminal;
  EXPECT_EQ(terminal.run({"--server", "localhost:8080", "status"}), 2);
  EXPECT_THAT(terminal.err, HasSubstr("--server: "));
  terminal.variables["GRAPNEL_SERVER"] = "ftp://x";
  EXPECT_EQ(terminal.run({"status"}), 2);
  EXPECT_THAT(terminal.err, HasSubstr("GRAPNEL_SERVER: "));
}

TEST(Run, ListsFollowPagesOfTheSameServerOnly) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/events?source=demo&limit=200", 200, R"([{"id":"evt_1"}])",
                  {{"Link", R"(</api/events?source=demo&cursor=c>; rel="next")"}});
  terminal.answer("GET /api/events?source=demo&cursor=c", 200, R"([{"id":"evt_2"}])",
                  {{"Link", R"(<http://evil.example/api/events>; rel="next")"}});
  EXPECT_EQ(terminal.run({"get", "events", "--source", "demo", "--all", "-o", "json"}), 0);
  EXPECT_EQ(terminal.out,
            "[\n  {\n    \"id\": \"evt_1\"\n  },\n  {\n    \"id\": \"evt_2\"\n  }\n]\n");
  EXPECT_EQ(terminal.requests.size(), 2u);
}

TEST(Run, ListsSayThatThereIsMore) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/sources?limit=3", 200, R"([{"slug":"a"},{"slug":"b"},{"slug":"c"}])");
  EXPECT_EQ(terminal.run({"get", "sources", "--limit", "2", "-o", "yaml"}), 0);
  EXPECT_EQ(terminal.out, "- slug: a\n- slug: b\n");
  EXPECT_THAT(terminal.err, HasSubstr("the first 2 are shown"));
}

TEST(Run, FiltersThatDoNotFitAreWrongUsage) {
  ScriptedTerminal terminal;
  EXPECT_EQ(terminal.run({"get", "sources", "--state", "dead"}), 2);
  EXPECT_THAT(terminal.err, HasSubstr("--state does not narrow this list"));
  EXPECT_EQ(terminal.run({"get", "events", "--from", "yesterday"}), 2);
  EXPECT_THAT(terminal.err, HasSubstr("--from: expected a time"));
}

TEST(Run, DurationsBecomeTimesBeforeNow) {
  ScriptedTerminal terminal;
  const std::string request =
      "GET /api/deliveries?action=echo&state=dead&from=2025-12-31T23%3A00%3A00.000Z&limit=51";
  terminal.answer(request, 200, "[]");
  EXPECT_EQ(
      terminal.run({"get", "deliveries", "--state", "dead", "--action", "echo", "--from", "1h"}),
      0);
  EXPECT_EQ(terminal.requests.at(0).line(), request);
}

TEST(Run, ActionsOfAllSourcesAreGathered) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/sources?limit=200", 200, R"([{"slug":"a"},{"slug":"b"}])");
  terminal.answer("GET /api/sources/a/actions?limit=51", 200,
                  R"([{"name":"x","state":"active","health":{"status":"ok"}}])");
  terminal.answer("GET /api/sources/b/actions?limit=50", 200,
                  R"([{"name":"y","state":"paused","health":{"status":"gone"}}])");
  EXPECT_EQ(terminal.run({"get", "actions"}), 0);
  EXPECT_EQ(terminal.out,
            "SOURCE   NAME   STATE    HEALTH   TARGET   AGE\n"
            "a        x      active   ok       -        -\n"
            "b        y      paused   gone     -        -\n");
}

TEST(Run, OneActionIsNamedWithItsSource) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/sources/demo/actions/my%20hook", 200, R"({"name":"my hook"})");
  EXPECT_EQ(terminal.run({"get", "action", "demo/my hook", "-o", "yaml"}), 0);
  EXPECT_EQ(terminal.run({"get", "action", "demo"}), 2);
  EXPECT_THAT(terminal.err, HasSubstr("expected SOURCE/ACTION"));
}

TEST(Run, ColoursAreForTerminalsOnly) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/sources?limit=51", 200, R"([{"slug":"a","mode":"active"}])");
  terminal.run({"get", "sources"});
  EXPECT_THAT(terminal.out, Not(HasSubstr("\x1b")));
  terminal.is_terminal = true;
  terminal.run({"get", "sources"});
  EXPECT_THAT(terminal.out, HasSubstr("\x1b[32mactive\x1b[0m"));
  terminal.variables["NO_COLOR"] = "1";
  terminal.run({"get", "sources"});
  EXPECT_THAT(terminal.out, Not(HasSubstr("\x1b")));
}

TEST(Run, SendPostsTheBodyByteForByteWithoutTheKey) {
  ScriptedTerminal terminal;
  terminal.standard_input = std::string("\x00\xff{ }", 5);
  terminal.answer("POST /webhooks/demo", 202, R"({"event_id":"evt_1","status":"accepted"})");
  EXPECT_EQ(terminal.run({"send", "demo", "-f", "-", "-H", "X-A: b: c", "--type", "t"}), 0);
  EXPECT_EQ(terminal.out, "evt_1 accepted\n");
  const auto& request = terminal.requests.at(0);
  EXPECT_EQ(request.body, terminal.standard_input);
  EXPECT_EQ(header_of(request, "X-A"), "b: c");
  EXPECT_EQ(header_of(request, "ce-type"), "t");
  EXPECT_EQ(header_of(request, "Content-Type"), "application/octet-stream");
  EXPECT_EQ(header_of(request, "Authorization"), "(none)");
}

TEST(Run, SendSaysWhatItSends) {
  ScriptedTerminal terminal;
  terminal.answer("POST /webhooks/demo", 202, R"({"event_id":"evt_1","status":"duplicate"})");
  EXPECT_EQ(terminal.run({"send", "demo", "-d", "[1]"}), 0);
  EXPECT_EQ(header_of(terminal.requests.at(0), "Content-Type"), "application/json");
  EXPECT_EQ(terminal.run({"send", "demo"}), 0);
  EXPECT_THAT(terminal.requests.at(0).body, HasSubstr(R"("type":"ping")"));
  EXPECT_EQ(terminal.run({"send", "demo", "-H", "no colon"}), 2);
  EXPECT_EQ(terminal.run({"send", "demo", "-H", "X: a\nY: b"}), 2);
  EXPECT_EQ(terminal.run({"send", "none"}), 4);
}

TEST(Run, ReplayOfDeadLettersWaitsAndTellsHowFarItIs) {
  ScriptedTerminal terminal;
  const auto job = [](std::string_view state, int replayed) {
    return fmt::format(R"({{"id":"job_1","state":"{}","matched":9,"replayed":{},"skipped":1}})",
                       state, replayed);
  };
  terminal.answer("POST /api/replays", 202, job("running", 0));
  terminal.answer("GET /api/replays/job_1", 200, job("running", 5));
  terminal.answer("GET /api/replays/job_1", 200, job("done", 8));
  EXPECT_EQ(
      terminal.run({"replay", "dead-letters", "--source", "demo", "--reason", "retries_exhausted",
                    "--rate", "5", "--from", "2026-01-01T00:00:00Z", "--wait"}),
      0);
  EXPECT_EQ(terminal.requests.at(0).body,
            R"({"source":"demo","reason":"retries_exhausted","from":"2026-01-01T00:00:00.000Z",)"
            R"("rate":5})");
  EXPECT_EQ(terminal.err, "0 of 9 replayed, 1 skipped\n5 of 9 replayed, 1 skipped\n");
  EXPECT_EQ(terminal.out, "replay job_1 done: 8 of 9 replayed, 1 skipped\n");
}

TEST(Run, ReplayNeedsToKnowWhat) {
  ScriptedTerminal terminal;
  EXPECT_EQ(terminal.run({"replay", "delivery"}), 2);
  EXPECT_EQ(terminal.run({"replay", "dead-letters", "dlv_1"}), 2);
  EXPECT_EQ(terminal.run({"replay", "event", "evt_1", "--source", "x"}), 2);
}

TEST(Run, ReplayOfOneSaysWhatWasMade) {
  ScriptedTerminal terminal;
  terminal.answer("POST /api/deliveries/dlv_1/replay", 201,
                  R"({"id":"dlv_2","state":"pending","replay_of":"dlv_1"})");
  EXPECT_EQ(terminal.run({"replay", "delivery", "dlv_1"}), 0);
  EXPECT_EQ(terminal.out, "delivery dlv_2 is pending, a replay of dlv_1\n");
  terminal.answer("POST /api/events/evt_1/replay", 202,
                  R"({"event_id":"evt_1","deliveries":["dlv_3","dlv_4"]})");
  EXPECT_EQ(terminal.run({"replay", "event", "evt_1"}), 0);
  EXPECT_EQ(terminal.out, "event evt_1 is delivered again: dlv_3, dlv_4\n");
}

TEST(Run, ChangesCallTheirRoute) {
  ScriptedTerminal terminal;
  terminal.answer("POST /api/deliveries/dlv_1/cancel", 202, R"({"id":"dlv_1","state":"running"})");
  EXPECT_EQ(terminal.run({"cancel", "dlv_1"}), 0);
  EXPECT_EQ(terminal.out, "dlv_1 will be cancelled when its attempt ends\n");
  terminal.answer("POST /api/replays/job_1/cancel", 200, R"({"id":"job_1","state":"cancelled"})");
  EXPECT_EQ(terminal.run({"cancel", "job_1"}), 0);
  EXPECT_EQ(terminal.out, "job_1 is cancelled\n");
  terminal.answer("POST /api/deliveries/dlv_1/retry", 200, R"({"id":"dlv_1"})");
  EXPECT_EQ(terminal.run({"retry", "dlv_1"}), 0);
  terminal.answer("POST /api/deliveries/dlv_1/skip", 200, R"({"id":"dlv_1"})");
  EXPECT_EQ(terminal.run({"skip", "dlv_1"}), 0);
  terminal.answer("POST /api/sources/demo/actions/echo/enable", 200,
                  R"({"name":"echo","health":{"status":"ok"}})");
  EXPECT_EQ(terminal.run({"enable", "demo/echo"}), 0);
  EXPECT_EQ(terminal.out, "action echo is enabled, its health is ok\n");
}

TEST(Run, NewKeyIsAloneOnStandardOutput) {
  ScriptedTerminal terminal;
  terminal.answer("POST /api/keys", 201, R"({"id":"key_1","scope":"write","key":"gk_value"})");
  EXPECT_EQ(terminal.run({"keys", "create", "ci", "--scope", "write", "--source", "demo",
                          "--expires", "1d"}),
            0);
  EXPECT_EQ(terminal.out, "gk_value\n");
  EXPECT_EQ(terminal.requests.at(0).body, R"({"name":"ci","scope":"write","sources":["demo"],)"
                                          R"("expires_at":"2026-01-02T00:00:00.000Z"})");
}

TEST(Run, KeysAreListedAndDeleted) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/keys?limit=200", 200,
                  R"([{"id":"key_1","name":"ci","scope":"read","sources":[],"expires_at":null,)"
                  R"("last_used_at":null,"created_at":"2025-12-31T23:55:00Z"}])");
  EXPECT_EQ(terminal.run({"keys", "list"}), 0);
  EXPECT_EQ(terminal.out,
            "ID      NAME   SCOPE   SOURCES   EXPIRES   LAST USED   AGE\n"
            "key_1   ci     read    -         -         -           5m\n");
  terminal.answer("DELETE /api/keys/key_1", 204, "");
  EXPECT_EQ(terminal.run({"keys", "delete", "key_1"}), 0);
}

TEST(Run, RotatedSecretIsAloneOnStandardOutput) {
  ScriptedTerminal terminal;
  terminal.answer("POST /api/sources/demo/actions/echo/rotate-secret", 200,
                  R"({"signing_secret":"whsec_x","signing_secrets":[{},)"
                  R"({"expires_at":"2026-01-02T00:00:00Z"}]})");
  EXPECT_EQ(terminal.run({"rotate-secret", "demo/echo", "--overlap", "2d"}), 0);
  EXPECT_EQ(terminal.out, "whsec_x\n");
  EXPECT_EQ(terminal.requests.at(0).body, R"({"overlap":"2d"})");
  EXPECT_THAT(terminal.err, HasSubstr("signs on until 2026-01-02T00:00:00Z"));
}

TEST(Run, BackupNamesAnAbsoluteFolder) {
  ScriptedTerminal terminal;
  terminal.answer("POST /api/backup", 201, R"({"folder":"/b"})");
  EXPECT_EQ(terminal.run({"backup", "/x/../b"}), 0);
  EXPECT_EQ(terminal.requests.at(0).body, R"({"folder":"/b"})");
  EXPECT_EQ(terminal.run({"backup", "b"}), 0);
  EXPECT_THAT(terminal.requests.at(0).body, HasSubstr(R"({"folder":"/)"));
}

TEST(Run, LocalCommandsReachTheApp) {
  ScriptedTerminal terminal;
  EXPECT_EQ(terminal.run({"serve", "--listen", ":1"}), 0);
  EXPECT_EQ(terminal.served->listen, ":1");
  EXPECT_EQ(terminal.run({"restore", "/b", "--data-dir", "/d"}), 0);
  EXPECT_EQ(terminal.restored->data_dir, "/d");
  EXPECT_EQ(terminal.run({"config", "check"}), 0);
  EXPECT_EQ(terminal.out, "fine\n");
  terminal.checked = fail(errc::malformed, "grapnel.yaml:1: a\ngrapnel.yaml:2: b");
  EXPECT_EQ(terminal.run({"config", "check"}), 2);
  EXPECT_EQ(terminal.err, "grapnel: grapnel.yaml:1: a\ngrapnel: grapnel.yaml:2: b\n");
  EXPECT_EQ(terminal.run({"version"}), 0);
  EXPECT_THAT(terminal.out, testing::StartsWith("grapnel "));
  EXPECT_EQ(terminal.run({"version", "-o", "json"}), 0);
  EXPECT_THAT(terminal.out, HasSubstr("\"version\""));
  EXPECT_EQ(terminal.run({"completion", "bash"}), 0);
  EXPECT_EQ(terminal.run({"--help"}), 0);
  EXPECT_EQ(terminal.run({}), 2);
}

TEST(Run, StatusIsASheet) {
  ScriptedTerminal terminal;
  terminal.answer("GET /api/status", 200,
                  R"({"version":"0.1.0","store":{"writable":false,"reason":"the disk is full"},)"
                  R"("sources":1,"actions":2,"open":{"pending":3,"running":4,"retrying":5},)"
                  R"("held":{"count":6},"dead_letters":7})");
  EXPECT_EQ(terminal.run({"status"}), 0);
  EXPECT_EQ(terminal.out,
            "Server:        http://127.0.0.1:8080 (version 0.1.0)\n"
            "Store:         not writable\n"
            "Reason:        the disk is full\n"
            "Definitions:   1 sources, 2 actions\n"
            "Open:          3 pending, 4 running, 5 retrying\n"
            "Held:          6 events\n"
            "Dead letters:  7\n");
}

}  // namespace
}  // namespace grapnel::cli
