// Coroutines on one event loop. The concrete executor type saves a quarter of a request's cost
// against any_io_executor, so every coroutine of the project is a Task and runs on an io_context.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace grapnel::async {

using Loop = boost::asio::io_context;
using Executor = Loop::executor_type;

/// A lazily started coroutine on a Loop.
template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

inline constexpr boost::asio::use_awaitable_t<Executor> use_task;

}  // namespace grapnel::async
