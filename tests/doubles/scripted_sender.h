// HttpSender whose answers a test decides, call by call; nothing reaches a network.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/timers.h"
#include "model/http.h"

namespace grapnel::doubles {

/// A call as it came, kept for the test's questions.
struct RecordedCall {
  model::HttpCall call;  ///< its body is empty: the bytes are in `body`
  std::string body;
  Monotonic started;
  std::optional<Monotonic> ended;
  bool canceled = false;
};

/// What one call gets, after `delay` (cut to the call's time-out, which then is the failure).
struct ScriptedReply {
  std::expected<model::HttpAnswer, model::HttpFailure> result = model::HttpAnswer{.status = 200};
  std::chrono::nanoseconds delay{0};
};

ScriptedReply answer(int status, std::chrono::nanoseconds delay = {},
                     model::HeaderList headers = {});
ScriptedReply failure(model::AttemptStep step, std::string message,
                      std::chrono::nanoseconds delay = {});

/// Used on the loop's thread; outlives its calls.
class ScriptedSender final : public model::HttpSender {
 public:
  using Script = std::function<ScriptedReply(const RecordedCall&)>;

  /// Without a script every call is answered 200.
  explicit ScriptedSender(async::Timers& timers, Script script = {})
      : timers_(timers), script_(std::move(script)) {}

  async::Task<std::expected<model::HttpAnswer, model::HttpFailure>> send(
      model::HttpCall call) override;

  Result<> check_url(std::string_view) const override { return {}; }

  void set_script(Script script) { script_ = std::move(script); }
  /// Every call so far, in the order in which they began.
  const std::vector<RecordedCall>& calls() const { return calls_; }
  int in_flight() const { return in_flight_; }
  int most_in_flight() const { return most_in_flight_; }

 private:
  async::Timers& timers_;
  Script script_;
  std::vector<RecordedCall> calls_;
  int in_flight_ = 0;
  int most_in_flight_ = 0;
};

}  // namespace grapnel::doubles
