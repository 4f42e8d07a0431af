#include "async/notify.h"

#include <gtest/gtest.h>

#include "async/scope.h"

namespace grapnel::async {
namespace {

Task<> count_wakes(Notify& notify, int times, int& wakes) {
  for (int i = 0; i < times; ++i) {
    co_await notify.wait();
    ++wakes;
  }
}

struct NotifyTest : testing::Test {
  /// Runs what can run now.
  void turn() {
    loop.restart();
    loop.poll();
  }

  Loop loop;
  int wakes = 0;
  Notify notify{loop.get_executor()};
  Scope scope{loop.get_executor()};
};

TEST_F(NotifyTest, NobodyIsWokenByANotificationBeforeTheWait) {
  notify.notify_all();
  scope.spawn(count_wakes(notify, 1, wakes));
  turn();
  EXPECT_EQ(wakes, 0);
  notify.notify_all();
  turn();
  EXPECT_EQ(wakes, 1);
}

TEST_F(NotifyTest, AllThatWaitAreWoken) {
  for (int i = 0; i < 5; ++i) scope.spawn(count_wakes(notify, 1, wakes));
  turn();
  notify.notify_all();
  turn();
  EXPECT_EQ(wakes, 5);
}

TEST_F(NotifyTest, EachNotificationWakesOnce) {
  scope.spawn(count_wakes(notify, 3, wakes));
  turn();
  for (int i = 1; i <= 3; ++i) {
    notify.notify_all();
    turn();
    EXPECT_EQ(wakes, i);
  }
}

TEST_F(NotifyTest, CancelWakesTheWaiterOnceAndThenEndsIt) {
  scope.spawn(count_wakes(notify, 1000, wakes));
  turn();
  scope.cancel();
  turn();
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(scope.running(), 0U);
}

}  // namespace
}  // namespace grapnel::async
