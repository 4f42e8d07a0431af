#include "doubles/scripted_sender.h"

#include <algorithm>
#include <utility>

namespace grapnel::doubles {
namespace {

/// Counts a call while it runs, also when its frame is destroyed.
class Counted {
 public:
  explicit Counted(int& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  int& count_;
};

}  // namespace

ScriptedReply answer(int status, std::chrono::nanoseconds delay, model::HeaderList headers) {
  return {.result = model::HttpAnswer{.status = status, .headers = std::move(headers)},
          .delay = delay};
}

ScriptedReply failure(model::AttemptStep step, std::string message,
                      std::chrono::nanoseconds delay) {
  return {
      .result = std::unexpected(model::HttpFailure{.step = step, .message = std::move(message)}),
      .delay = delay};
}

async::Task<std::expected<model::HttpAnswer, model::HttpFailure>> ScriptedSender::send(
    model::HttpCall call) {
  const std::size_t at = calls_.size();
  const std::chrono::nanoseconds timeout = call.timeout;
  auto& record = calls_.emplace_back();
  record.body = std::string(call.body);
  record.started = timers_.now();
  record.call = std::move(call);
  record.call.body = {};
  ScriptedReply reply = script_ ? script_(record) : ScriptedReply{};
  if (reply.delay >= timeout) {
    reply = failure(model::AttemptStep::timeout, "timeout: no answer in time", timeout);
  }

  const Counted counted(in_flight_);
  most_in_flight_ = std::max(most_in_flight_, in_flight_);
  const auto slept = co_await timers_.sleep_for(reply.delay);
  calls_[at].ended = timers_.now();
  if (!slept) {
    calls_[at].canceled = true;
    co_return std::unexpected(
        model::HttpFailure{.step = model::AttemptStep::none, .message = "canceled"});
  }
  co_return std::move(reply.result);
}

}  // namespace grapnel::doubles
