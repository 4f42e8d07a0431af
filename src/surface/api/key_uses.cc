#include "surface/api/key_uses.h"

#include "surface/api/limits.h"

namespace grapnel::api {

async::Task<> KeyUses::stop() {
  scope_.cancel();
  co_await scope_.join();
  co_await flush();
}

async::Task<> KeyUses::run() {
  while (co_await timers_.sleep_for(kTouchEvery)) co_await flush();
}

async::Task<> KeyUses::flush() {
  if (uses_.empty()) co_return;
  std::vector<std::pair<model::KeyId, Time>> uses(uses_.begin(), uses_.end());
  uses_.clear();
  // A store that cannot take it now loses a minute of last uses, which is harmless.
  (void)co_await registry_.touch_keys(std::move(uses));
}

}  // namespace grapnel::api
