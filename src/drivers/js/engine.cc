#include "drivers/js/engine.h"

#include <js/ContextOptions.h>
#include <js/GCAPI.h>
#include <js/Initialization.h>
#include <js/Interrupt.h>
#include <js/Promise.h>
#include <js/Stack.h>
#include <malloc.h>

#include "drivers/js/call_state.h"
#include "drivers/js/helper_thread.h"
#include "drivers/js/limits.h"
#include "drivers/js/script_realm.h"

namespace grapnel::js {
namespace {

/// Scripts are synchronous: a job of a promise would run after its call, so none ever runs.
class NoJobs final : public JS::JobQueue {
 public:
  JSObject* getIncumbentGlobal(JSContext* context) override {
    return JS::CurrentGlobalOrNull(context);
  }
  bool enqueuePromiseJob(JSContext*, JS::HandleObject, JS::HandleObject, JS::HandleObject,
                         JS::HandleObject) override {
    return true;
  }
  void runJobs(JSContext*) override {}
  bool empty() const override { return true; }

 private:
  ::js::UniquePtr<SavedJobQueue> saveJobQueue(JSContext*) override {
    return ::js::MakeUnique<SavedJobQueue>();
  }
};

bool no_code_from_text(JSContext*, JS::RuntimeCode, JS::HandleString) { return false; }

constexpr JSSecurityCallbacks kSecurity = {no_code_from_text, nullptr};

bool on_interrupt(JSContext* context) { return CallState::of(context).watchdog.go_on(context); }

/// What reads files or asks the system when it is first used: time zones, case and normal forms,
/// random numbers. Afterwards there are no files.
constexpr char kWarmUp[] = R"(
function transform(event) {
  const date = new Date(2020, 1, 2, 3, 4, 5);
  date.setHours(date.getTimezoneOffset());
  return [String(date), date.toLocaleDateString(), Date.parse('2020-02-02T02:02:02'),
    Math.random(), 'Åé'.normalize('NFKD'), 'ß'.toUpperCase(), /\p{Lu}\b/iu.test('é'),
    [3, 1, 2].sort((a, b) => a - b), (2n ** 200n).toString(), (0.1).toFixed(3)].join();
}
)";

}  // namespace

JSContext* start_engine() {
  // One arena, because each reserves 64 MiB of the address space that is bounded; and a threshold
  // that stays, so that large blocks go back to the system.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  JS::DisableJitBackend();
  if (!JS_Init()) return nullptr;
  start_helper_thread();
  JSContext* context = JS_NewContext(kHeapBytesMax);
  if (!context || !JS::InitSelfHostedCode(context)) return nullptr;
  JS_SetNativeStackQuota(context, kStackQuotaBytes);
  JS::ContextOptionsRef(context).setAsmJS(false).setWasm(false).setSourcePragmas(false);
  JS_SetSecurityCallbacks(context, &kSecurity);
  JS::SetJobQueue(context, new NoJobs);
  new CallState(context);
  JS_AddInterruptCallback(context, on_interrupt);

  ScriptRealm warm_up(context, "transform", "warm-up", kWarmUp);
  if (warm_up.call("{}", "[1]", model::kScriptTimeMax).verdict != Verdict::ok) return nullptr;
  JS_GC(context);
  return context;
}

Janitor::Janitor(JSContext* context) : context_(context), floor_(held()) {}

std::size_t Janitor::held() const {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd + JS_GetGCParameter(context_, JSGC_BYTES);
}

void Janitor::after_batch() {
  if (held() > floor_ + kGarbageBytesMax) {
    JS_GC(context_);
    floor_ = held();
  } else {
    JS_MaybeGC(context_);
  }
}

}  // namespace grapnel::js
