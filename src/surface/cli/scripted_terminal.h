// A person's terminal for tests: what a command prints is kept, the API is a script, nothing
// sleeps. The clock stands at 2026-01-01T00:00:00Z until a command waits.
#pragma once

#include <boost/asio/co_spawn.hpp>

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "doubles/drive.h"
#include "doubles/manual_clock.h"
#include "doubles/manual_timers.h"
#include "doubles/scripted_sender.h"
#include "surface/cli/run.h"

namespace grapnel::cli {

class ScriptedTerminal {
 public:
  struct Request {
    std::string method;
    std::string url;
    std::string body;
    model::HeaderList headers;

    std::string line() const { return method + " " + url; }
  };

  /// What the server answers to "METHOD /path?query", each time (the last one stays).
  void answer(const std::string& request, int status, std::string body,
              model::HeaderList headers = {}) {
    script_[request].push_back({model::HttpAnswer{
        .status = status, .headers = std::move(headers), .body = std::move(body)}});
  }
  void fail_with(model::AttemptStep step, std::string message) {
    failure_ = model::HttpFailure{.step = step, .message = std::move(message)};
  }

  int run(std::vector<std::string> arguments) {
    out.clear();
    err.clear();
    requests.clear();
    return cli::run(std::move(arguments), environment());
  }

  Environment environment() {
    return {.http = sender_,
            .timers = timers_,
            .clock = clock_,
            .drive = [this](async::Task<int> task) { return drive(std::move(task)); },
            .stop_asked = [this] { return stopped_by_ ? stopped_by_() : at_once(); },
            .listen = [this](const std::string& address,
                             model::HttpHandler& given) -> Result<std::unique_ptr<Listener>> {
              listened_on = address;
              handler = &given;
              return std::make_unique<Listening>();
            },
            .serve = [this](const ServeOptions& options) -> Result<> {
              served = options;
              return {};
            },
            .restore = [this](const RestoreOptions& options) -> Result<std::string> {
              restored = options;
              return "restored";
            },
            .check_config = [this](const std::optional<std::string>&) { return checked; },
            .variable = [this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              if (found == variables.end()) return std::nullopt;
              return found->second;
            },
            .read_standard_input = [this]() -> Result<std::string> { return standard_input; },
            .out = [this](std::string_view text) { out += text; },
            .err = [this](std::string_view text) { err += text; },
            .out_is_terminal = is_terminal,
            .in_is_terminal = is_terminal};
  }

  void stop_after(std::function<async::Task<>()> task) { stopped_by_ = std::move(task); }
  doubles::ManualClock& clock() { return clock_; }

  std::string out;
  std::string err;
  std::vector<Request> requests;
  std::map<std::string, std::string> variables{{"GRAPNEL_API_KEY", "test-key"}};
  std::string standard_input;
  bool is_terminal = false;
  std::string listened_on;
  model::HttpHandler* handler = nullptr;
  std::optional<ServeOptions> served;
  std::optional<RestoreOptions> restored;
  Result<std::string> checked = "fine";

 private:
  struct Reply {
    model::HttpAnswer answer;
  };
  class Listening final : public Listener {
   public:
    std::string address() const override { return "127.0.0.1:4711"; }
    async::Task<> stop() override { co_return; }
  };

  static async::Task<> at_once() { co_return; }

  doubles::ScriptedReply reply_to(const doubles::RecordedCall& call) {
    Request request{call.call.method, call.call.url, call.body, call.call.headers};
    constexpr std::string_view kServer = "http://127.0.0.1:8080";
    if (request.url.starts_with(kServer)) request.url.erase(0, kServer.size());
    requests.push_back(request);
    if (failure_) return {.result = std::unexpected(*failure_)};
    auto& replies = script_[request.line()];
    if (replies.empty()) {
      return {.result = model::HttpAnswer{
                  .status = 404, .body = R"({"detail":"there is no )" + request.line() + R"("})"}};
    }
    Reply reply = replies.front();
    if (replies.size() > 1) replies.erase(replies.begin());
    return {.result = std::move(reply.answer)};
  }

  int drive(async::Task<int> task) {
    std::optional<int> code;
    boost::asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr error, int value) {
      if (error) std::rethrow_exception(error);
      code = value;
    });
    for (;;) {
      doubles::run_ready(loop_);
      if (code) return *code;
      if (!timers_.wake_next()) throw std::runtime_error("the command does not end");
    }
  }

  async::Loop loop_;
  doubles::ManualClock clock_;
  doubles::ManualTimers timers_{loop_, clock_};
  doubles::ScriptedSender sender_{timers_, [this](const auto& call) { return reply_to(call); }};
  std::map<std::string, std::vector<Reply>> script_;
  std::optional<model::HttpFailure> failure_;
  std::function<async::Task<>()> stopped_by_;
};

}  // namespace grapnel::cli
