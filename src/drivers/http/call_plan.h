// What a call is about, checked, before anything is sent. Private to this room.
#pragma once

#include <optional>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "drivers/http/pool.h"
#include "drivers/http/url.h"
#include "model/http.h"

namespace grapnel::http {

struct CallPlan {
  model::HttpCall call;
  Url url;
  std::string where;  ///< "host:port", for messages: a target may hold a secret
  Monotonic started;
  Monotonic deadline;
};

/// Reads the URL and looks at method and header fields. A failure has the step prepare.
std::expected<CallPlan, model::HttpFailure> plan_call(model::HttpCall call, Monotonic now);

/// Request line and fields into `out`; Host, Content-Length, Connection, Expect and
/// Transfer-Encoding of the call are left out.
void write_request_head(const CallPlan& plan, std::string& out);

/// After an operation that failed or may have: whether a cancellation (step none) or the deadline
/// (step timeout) is the reason. `doing` completes the sentence "timed out after 15s while …
/// host:port".
async::Task<std::optional<model::HttpFailure>> interruption(const CallPlan& plan,
                                                            const ClientConnection& connection,
                                                            std::string_view doing);
model::HttpFailure canceled_call();
model::HttpFailure timed_out_call(const CallPlan& plan, std::string_view doing);
model::HttpFailure failed_at(model::AttemptStep step, std::string message);

/// For AttemptTimings.
std::int32_t to_micros(Monotonic::duration duration);

}  // namespace grapnel::http
