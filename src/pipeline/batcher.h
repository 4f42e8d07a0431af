// Gathers what many coroutines want of the store into few calls: while one batch is committed, the
// next collects. One call costs the same whatever is in it.
#pragma once

#include <boost/asio/post.hpp>

#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "async/deadline.h"
#include "async/one_shot.h"
#include "async/scope.h"
#include "async/task.h"
#include "async/timers.h"
#include "base/check.h"
#include "base/result.h"
#include "pipeline/limits.h"

namespace grapnel::pipeline {

/// `Item` in, `Answer` out, in order. Used on the loop's thread.
template <class Item, class Answer>
class Batcher {
 public:
  using Call = std::function<async::Task<Result<std::vector<Answer>>>(std::vector<Item>)>;

  Batcher(async::Executor executor, Call call)
      : executor_(executor), call_(std::move(call)), scope_(executor) {}

  /// Not cancelable: once gathered, an item's answer is awaited.
  async::Task<Result<Answer>> add(Item item) {
    async::OneShot<Result<Answer>> answer(executor_);
    items_.push_back(std::move(item));
    waiting_.push_back(&answer);
    group_ends_.push_back(true);
    start_more();
    co_return co_await answer.wait();
  }

  /// Several items that are in one call together, at most kBatchItemsMax.
  async::Task<Result<std::vector<Answer>>> add_group(std::vector<Item> group) {
    GRAPNEL_CHECK(!group.empty() && group.size() <= kBatchItemsMax, group.size());
    std::deque<async::OneShot<Result<Answer>>> answers;  // which never move
    for (std::size_t i = 0; i < group.size(); ++i) {
      answers.emplace_back(executor_);
      items_.push_back(std::move(group[i]));
      waiting_.push_back(&answers.back());
      group_ends_.push_back(i + 1 == group.size());
    }
    start_more();
    std::vector<Answer> out;
    std::optional<Error> failure;
    for (auto& answer : answers) {  // all of them, whatever the first says: they are pointed to
      auto one = co_await answer.wait();
      if (!one) {
        failure = std::move(one.error());
      } else {
        out.push_back(std::move(*one));
      }
    }
    if (failure) co_return std::unexpected(std::move(*failure));
    co_return out;
  }

  std::size_t waiting() const { return items_.size(); }
  /// Nobody adds any more. Returns when all are answered, or at the deadline.
  async::Task<> stop(async::Timers& timers, async::Deadline deadline) {
    co_await scope_.join(timers, deadline);
  }

 private:
  void start_more() {
    if (running_ >= kBatchesInFlightMax || items_.empty()) return;
    ++running_;
    scope_.spawn(run());
  }

  async::Task<> run() {
    // At the next turn: by then all that this one brings is gathered.
    co_await boost::asio::post(executor_, async::use_task);
    while (!items_.empty()) {
      std::vector<Item> items;
      std::vector<async::OneShot<Result<Answer>>*> waiting;
      take(items, waiting);
      Result<std::vector<Answer>> answers = co_await call_(std::move(items));
      if (answers) GRAPNEL_CHECK(answers->size() == waiting.size(), answers->size());
      for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (answers) {
          waiting[i]->set(std::move((*answers)[i]));
        } else {
          waiting[i]->set(std::unexpected(answers.error()));
        }
      }
    }
    --running_;
  }

  void take(std::vector<Item>& items, std::vector<async::OneShot<Result<Answer>>*>& waiting) {
    if (items_.size() <= kBatchItemsMax) {
      items.swap(items_);
      waiting.swap(waiting_);
      group_ends_.clear();
      return;
    }
    auto count = static_cast<std::ptrdiff_t>(kBatchItemsMax);
    while (!group_ends_[static_cast<std::size_t>(count) - 1]) --count;  // a group is never cut
    group_ends_.erase(group_ends_.begin(), group_ends_.begin() + count);
    items.assign(std::make_move_iterator(items_.begin()),
                 std::make_move_iterator(items_.begin() + count));
    waiting.assign(waiting_.begin(), waiting_.begin() + count);
    items_.erase(items_.begin(), items_.begin() + count);
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  }

  async::Executor executor_;
  Call call_;
  std::vector<Item> items_;
  std::vector<async::OneShot<Result<Answer>>*> waiting_;
  std::vector<bool> group_ends_;  // whether an item is the last of its group
  int running_ = 0;
  async::Scope scope_;
};

}  // namespace grapnel::pipeline
