#include "drivers/js/worker_process.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "drivers/js/errors.h"
#include "drivers/js/jail.h"

namespace grapnel::js {

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(async::Executor executor,
                                                            const FileDescriptor& program,
                                                            const std::string& argument) {
  auto started = start_worker(program, argument);
  if (!started) return fail(started.error());
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(executor, std::move(*started)));
}

WorkerProcess::WorkerProcess(async::Executor executor, StartedWorker started)
    : pid_(started.pid),
      handle_(std::move(started.handle)),
      channel_(executor),
      executor_(executor) {
  boost::system::error_code ignored;
  // The socket closes its copy, the FileDescriptor ours.
  channel_.assign(Protocol(), dup(started.channel.number()), ignored);
}

WorkerProcess::~WorkerProcess() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

WorkerProcess::Slot WorkerProcess::slot_of(const model::ScriptPtr& script) {
  auto found = std::ranges::find(slots_, script, &Held::script);
  const bool fresh = found == slots_.end();
  if (fresh) {
    found = std::ranges::min_element(slots_, {}, &Held::used);
    found->script = script;
  }
  found->used = ++uses_;
  return {.number = static_cast<std::uint32_t>(found - slots_.begin()), .fresh = fresh};
}

async::Task<Result<>> WorkerProcess::send(std::string frames) {
  boost::system::error_code error;
  co_await boost::asio::async_write(channel_, boost::asio::buffer(frames),
                                    boost::asio::redirect_error(async::use_task, error));
  if (error) co_return fail(errc::worker_died, error.message());
  co_return Result<>{};
}

async::Task<Result<WorkerFrame>> WorkerProcess::receive() {
  for (;;) {
    auto frame = decoder_.next();
    if (!frame) {
      kill(WorkerEnd::violation);
      co_return fail(errc::bad_frame, std::string(frame.error()));
    }
    if (*frame) co_return std::move(**frame);
    const std::span<char> room = decoder_.room();
    boost::system::error_code error;
    const std::size_t bytes =
        co_await channel_.async_read_some(boost::asio::buffer(room.data(), room.size()),
                                          boost::asio::redirect_error(async::use_task, error));
    if (error) co_return fail(errc::worker_died, error.message());
    decoder_.filled(bytes);
  }
}

async::Task<> WorkerProcess::wait_for_end() {
  boost::system::error_code ignored;
  co_await channel_.async_wait(boost::asio::socket_base::wait_read,
                               boost::asio::redirect_error(async::use_task, ignored));
}

void WorkerProcess::kill(WorkerEnd why) {
  if (killed_ || reaped_) return;
  killed_ = true;
  killed_as_ = why;
  ::kill(pid_, SIGKILL);
}

async::Task<WorkerEnd> WorkerProcess::reap() {
  int status = 0;
  // The end of its socket comes a moment before its own: what it says of itself is not to be lost
  // to our signal, unless it closed the socket and lives on.
  boost::asio::posix::basic_stream_descriptor<async::Executor> ended(executor_);
  boost::system::error_code ignored;
  const int handle = handle_.number() < 0 ? -1 : dup(handle_.number());
  if (handle >= 0) ended.assign(handle, ignored);
  if (ended.is_open()) {
    co_await ended.async_wait(boost::asio::posix::descriptor_base::wait_read,
                              boost::asio::redirect_error(async::use_task, ignored));
  }
  if (waitpid(pid_, &status, WNOHANG) == 0) {
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  reaped_ = true;
  co_return end_of(status);
}

WorkerEnd WorkerProcess::end_of(int status) const {
  if (killed_) return killed_as_;
  if (WIFEXITED(status)) {
    return WEXITSTATUS(status) == kExitMemory ? WorkerEnd::memory : WorkerEnd::crashed;
  }
  if (!WIFSIGNALED(status)) return WorkerEnd::killed;
  switch (WTERMSIG(status)) {
    case SIGSYS: return WorkerEnd::forbidden;
    case SIGKILL:
    case SIGTERM:
    case SIGINT:
    case SIGHUP: return WorkerEnd::killed;
    default: return WorkerEnd::crashed;
  }
}

}  // namespace grapnel::js
