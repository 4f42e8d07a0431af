// One worker: its process, and frames to and from it. It says what it is; what a death means is the
// pool's to decide.
//
//   starting --ready--> up --EOF, bad frame, kill()--> dead
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "async/deadline.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "drivers/js/frames.h"
#include "drivers/js/start_worker.h"
#include "model/sandbox.h"

namespace grapnel::js {

/// Why a worker ended.
enum class WorkerEnd : std::uint8_t {
  stopped = 0,    ///< by the pool, in good order: rest, refusal, stop, or after a memory fault
  overdue = 1,    ///< by the pool: it did not answer in time
  violation = 2,  ///< by the pool: it broke the protocol
  memory = 3,     ///< by itself: the engine could not go on
  forbidden = 4,  ///< by the filter of system calls
  crashed = 5,    ///< by a signal of its own
  killed = 6,     ///< by somebody else: an operator, the kernel short of memory
};
inline constexpr std::size_t kWorkerEnds = 7;

/// Used on the loop's thread only. The destructor kills the process and waits for its end.
class WorkerProcess {
 public:
  /// Error: start_failed.
  static Result<std::unique_ptr<WorkerProcess>> start(async::Executor executor,
                                                      const FileDescriptor& program,
                                                      const std::string& argument);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  /// The slot that holds this script; `fresh`: it must be defined there first.
  struct Slot {
    std::uint32_t number = 0;
    bool fresh = false;
  };
  Slot slot_of(const model::ScriptPtr& script);

  /// Sends all of it. Errors: worker_died.
  async::Task<Result<>> send(std::string frames);
  /// The next frame. Errors: worker_died, bad_frame (then it was killed).
  async::Task<Result<WorkerFrame>> receive();
  /// Returns when there is something to read although nothing was asked, which is its end, or when
  /// canceled.
  async::Task<> wait_for_end();

  /// Ends it now; what is waited for fails with worker_died.
  void kill(WorkerEnd why);
  /// After receive() failed: kills it if need be, waits for its end and says why it ended.
  async::Task<WorkerEnd> reap();

  pid_t pid() const { return pid_; }

 private:
  WorkerProcess(async::Executor executor, StartedWorker started);
  WorkerEnd end_of(int status) const;

  using Protocol = boost::asio::local::stream_protocol;

  pid_t pid_;
  FileDescriptor handle_;
  boost::asio::basic_stream_socket<Protocol, async::Executor> channel_;
  async::Executor executor_;
  FrameDecoder decoder_;
  WorkerEnd killed_as_ = WorkerEnd::killed;
  bool killed_ = false;
  bool reaped_ = false;

  struct Held {
    model::ScriptPtr script;  // holds its address, which is its identity
    std::uint64_t used = 0;
  };
  std::array<Held, kRealmsMax> slots_;
  std::uint64_t uses_ = 0;
};

}  // namespace grapnel::js
