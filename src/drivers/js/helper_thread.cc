#include "drivers/js/helper_thread.h"

#include <js/Context.h>
#include <js/HelperThreadAPI.h>
#include <pthread.h>

#include <atomic>
#include <latch>

#include "drivers/js/limits.h"

namespace grapnel::js {
namespace {

/// Tasks that wait. The engine's callback is given nothing, so there is nowhere else to keep it.
constinit std::atomic<int> tasks = 0;

void on_task(JS::DispatchReason) {
  ++tasks;
  tasks.notify_one();
}

void* run_tasks(void* running) {
  static_cast<std::latch*>(running)->count_down();
  for (;;) {
    tasks.wait(0);
    --tasks;
    JS::RunHelperThreadTask();
  }
}

}  // namespace

void start_helper_thread() {
  std::latch running(1);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kHelperStackBytes);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, run_tasks, &running) == 0) {
    running.wait();
    pthread_detach(thread);
    JS::SetHelperThreadTaskCallback(on_task, 1, kHelperQuotaBytes);
  }
  pthread_attr_destroy(&attributes);
}

}  // namespace grapnel::js
