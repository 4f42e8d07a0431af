#include "surface/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surface/cli/errors.h"

namespace grapnel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class Options>
Options parsed(std::vector<std::string> arguments) {
  auto line = parse_command_line(std::move(arguments));
  EXPECT_TRUE(line) << line.error().context;
  if (!line) return {};
  const auto* options = std::get_if<Options>(&std::get<CommandLine>(*line).command);
  EXPECT_TRUE(options);
  return options ? *options : Options{};
}

std::string usage_error(std::vector<std::string> arguments) {
  const auto line = parse_command_line(std::move(arguments));
  EXPECT_FALSE(line);
  if (line) return "";
  EXPECT_EQ(exit_code_of(line.error()), kExitUsage);
  EXPECT_THAT(line.error().context, testing::Not(HasSubstr("\n")));
  return line.error().context;
}

TEST(CommandLine, NoCommandIsWrongUsage) {
  EXPECT_THAT(usage_error({}), testing::StartsWith("a command is required: serve, apply, get"));
}

TEST(CommandLine, UnknownCommandIsNamed) {
  EXPECT_THAT(usage_error({"gett", "sources"}), HasSubstr("unknown command 'gett'"));
  EXPECT_THAT(usage_error({"replay", "foo", "x"}),
              HasSubstr("expected one of dead-letters, delivery, event, given 'foo'"));
  EXPECT_THAT(usage_error({"get", "events", "-o", "xml"}),
              HasSubstr("expected one of json, table, wide, yaml, given 'xml'"));
  EXPECT_THAT(usage_error({"keys", "make"}),
              HasSubstr("unknown command 'make': list, create, delete (see grapnel keys"));
}

TEST(CommandLine, UnknownKindIsNamed) {
  EXPECT_THAT(usage_error({"get", "pods"}), HasSubstr("KIND: expected one of action, actions, "));
}

TEST(CommandLine, MissingArgumentsAreNamed) {
  EXPECT_THAT(usage_error({"describe", "delivery"}), HasSubstr("ID is required"));
  EXPECT_THAT(usage_error({"apply"}), HasSubstr("--file is required"));
  EXPECT_THAT(usage_error({"restore", "x"}), HasSubstr("--data-dir is required"));
}

TEST(CommandLine, ExtraArgumentIsNamed) {
  EXPECT_THAT(usage_error({"get", "sources", "a", "b"}), HasSubstr("b"));
}

TEST(CommandLine, WrongValuesAreRefused) {
  EXPECT_THAT(usage_error({"get", "sources", "--limit", "0"}), HasSubstr("--limit"));
  EXPECT_THAT(usage_error({"echo", "--status", "99"}), HasSubstr("--status"));
  EXPECT_THAT(usage_error({"keys", "create", "x", "--scope", "root"}), HasSubstr("--scope"));
  EXPECT_THAT(usage_error({"-o", "xml", "version"}), HasSubstr("--output"));
  EXPECT_THAT(usage_error({"send", "x", "-f", "a", "-d", "b"}), HasSubstr("--data"));
}

TEST(CommandLine, GlobalOptionsStandBeforeOrAfterTheCommand) {
  for (const auto& arguments :
       {std::vector<std::string>{"-o", "json", "--server", "http://x:1", "get", "events"},
        std::vector<std::string>{"get", "events", "-o", "json", "--server", "http://x:1"}}) {
    const auto line = parse_command_line(arguments);
    ASSERT_TRUE(line) << line.error().context;
    const auto& global = std::get<CommandLine>(*line).global;
    EXPECT_EQ(global.format, Format::json);
    EXPECT_EQ(global.server, "http://x:1");
  }
}

TEST(CommandLine, KindsAreOneOrMany) {
  EXPECT_EQ(parsed<GetOptions>({"get", "source"}).kind, Kind::source);
  EXPECT_EQ(parsed<GetOptions>({"get", "dead-letters"}).kind, Kind::dead_letter);
  const auto one = parsed<GetOptions>({"get", "actions", "demo/echo", "--all"});
  EXPECT_EQ(one.kind, Kind::action);
  EXPECT_EQ(one.name, "demo/echo");
  EXPECT_TRUE(one.all);
}

TEST(CommandLine, RepeatedOptionsTakeOneValueEach) {
  const auto apply = parsed<ApplyOptions>({"apply", "-f", "a", "-f", "-", "--prune"});
  EXPECT_THAT(apply.files, ElementsAre("a", "-"));
  EXPECT_TRUE(apply.prune);
  const auto send = parsed<SendOptions>({"send", "-H", "A: 1", "demo", "-H", "B: 2"});
  EXPECT_EQ(send.source, "demo");
  EXPECT_THAT(send.headers, ElementsAre("A: 1", "B: 2"));
}

TEST(CommandLine, ChangesKnowWhatTheyAre) {
  EXPECT_EQ(parsed<ChangeOptions>({"cancel", "dlv_1"}).what, ChangeOptions::What::cancel);
  EXPECT_EQ(parsed<ChangeOptions>({"skip", "dlv_1"}).what, ChangeOptions::What::skip);
  EXPECT_EQ(parsed<KeyOptions>({"keys", "delete", "key_1"}).what, KeyOptions::What::remove);
  EXPECT_EQ(parsed<KeyOptions>({"keys", "list"}).what, KeyOptions::What::list);
}

TEST(CommandLine, ServeTakesItsOverrides) {
  const auto serve = parsed<ServeOptions>(
      {"serve", "--config", "c", "--data-dir", "d", "--listen", ":1", "--metrics-listen", "off"});
  EXPECT_EQ(serve.config, "c");
  EXPECT_EQ(serve.data_dir, "d");
  EXPECT_EQ(serve.listen, ":1");
  EXPECT_EQ(serve.metrics_listen, "off");
}

TEST(CommandLine, HelpIsOfTheCommandThatWasAsked) {
  const auto all = parse_command_line({"--help"});
  ASSERT_TRUE(all && std::holds_alternative<Help>(*all));
  EXPECT_THAT(std::get<Help>(*all).text, HasSubstr("\nUsage: grapnel [OPTIONS]"));
  EXPECT_THAT(std::get<Help>(*all).text, HasSubstr("Exit codes: 0 done"));
  EXPECT_THAT(std::get<Help>(*all).text, HasSubstr("dead-letters"));
  const auto one = parse_command_line({"keys", "create", "--help"});
  ASSERT_TRUE(one && std::holds_alternative<Help>(*one));
  EXPECT_THAT(std::get<Help>(*one).text, HasSubstr("\nUsage: grapnel keys create [OPTIONS] NAME"));
  EXPECT_THAT(std::get<Help>(*one).text, HasSubstr("--expires"));
}

TEST(Completion, ScriptsKnowEveryCommand) {
  for (const auto& [word, shell] : {std::pair{"bash", Shell::bash}, std::pair{"zsh", Shell::zsh},
                                    std::pair{"fish", Shell::fish}}) {
    const auto options = parsed<CompletionOptions>({"completion", word});
    EXPECT_EQ(options.shell, shell);
    const std::string script = completion_script(options.tree, shell);
    for (const auto* name :
         {"serve", "apply", "describe", "dead-letters", "create", "dry-run", "key-file", "wide"}) {
      EXPECT_THAT(script, HasSubstr(name)) << word;
    }
  }
}

}  // namespace
}  // namespace grapnel::cli
