#include "model/retry_policy.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "model/limits.h"

namespace grapnel::model {

int RetryPolicy::tries() const {
  if (!schedule.empty()) return static_cast<int>(schedule.size()) + 1;
  return std::max(1, max_attempts);
}

Millis RetryPolicy::wait_after(int failures) const {
  GRAPNEL_CHECK(failures >= 1 && failures < tries(), failures);
  if (!schedule.empty()) return schedule[static_cast<std::size_t>(failures - 1)];
  const double wait = static_cast<double>(base.count()) * std::pow(factor, failures - 1);
  const double most = static_cast<double>(std::min(cap, kRetryWaitMax).count());
  // Not std::min: 0 * infinity is not a number, and then `most` is right.
  return Millis{static_cast<std::int64_t>(wait < most ? wait : most)};
}

RetryPolicy default_retry_policy() {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  return RetryPolicy{.schedule = {seconds{5}, minutes{5}, minutes{30}, hours{2}, hours{5},
                                  hours{10}, hours{14}, hours{20}, hours{24}}};
}

Millis with_jitter(Millis wait, Random& random) {
  const double spread = 0.8 + 0.4 * random.unit();
  const auto millis = static_cast<std::int64_t>(static_cast<double>(wait.count()) * spread);
  return std::min(Millis{millis}, kRetryWaitMax);
}

}  // namespace grapnel::model
