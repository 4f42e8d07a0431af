#include "drivers/js/start_worker.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include "drivers/js/errors.h"
#include "drivers/js/limits.h"

namespace grapnel::js {
namespace {

/// Where the worker finds its channel (jail.h), and where its program lies until it runs.
constexpr int kChannelNumber = 3;
constexpr int kProgramNumber = 4;
/// Ours are moved above both, so that neither is overwritten before it is copied.
constexpr int kNumbersFrom = 16;

struct ChildPlan {
  int channel;
  int program;
  char* const* arguments;
  char* const* environment;
  volatile int error = 0;  // written by the child, which shares our memory
};

auto system_failure(std::string_view what, int error) {
  return fail(errc::start_failed,
              std::string(what) + ": " + std::generic_category().message(error));
}

void close_all_from(int first) {
  if (syscall(SYS_close_range, static_cast<unsigned>(first), UINT_MAX, 0) == 0) return;
  for (int number = first; number < kDescriptorsMax; ++number) close(number);
}

/// Between vfork and exec: system calls alone, because other threads may hold any lock.
[[noreturn]] void become_worker(ChildPlan& plan) {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setsid();
  const rlimit stack{.rlim_cur = kMainStackBytes, .rlim_max = kMainStackBytes};
  setrlimit(RLIMIT_STACK, &stack);
  const bool ready = chdir("/") == 0 && dup2(plan.channel, kChannelNumber) >= 0 &&
                     dup2(plan.program, kProgramNumber) >= 0 &&
                     fcntl(kProgramNumber, F_SETFD, FD_CLOEXEC) == 0;
  if (ready) {
    for (int number = 0; number < kChannelNumber; ++number) close(number);
    close_all_from(kProgramNumber + 1);
    syscall(SYS_execveat, kProgramNumber, "", plan.arguments, plan.environment, AT_EMPTY_PATH);
  }
  plan.error = errno;
  _exit(127);
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
/// Not inlined: the child must not share a frame with code that the parent returns through.
[[gnu::noinline]] pid_t spawn(ChildPlan& plan) {
  // vfork, because copying the page tables of a large process would stop its loop for milliseconds.
  const pid_t pid = vfork();
  if (pid == 0) become_worker(plan);
  return pid;
}
#pragma clang diagnostic pop

Result<FileDescriptor> move_up(int number) {
  const int moved = fcntl(number, F_DUPFD_CLOEXEC, kNumbersFrom);
  if (moved < 0) return system_failure("fcntl(F_DUPFD_CLOEXEC)", errno);
  return FileDescriptor(moved);
}

}  // namespace

Result<StartedWorker> start_worker(const FileDescriptor& program, const std::string& argument) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_failure("socketpair", errno);
  }
  FileDescriptor ours(ends[0]);
  const FileDescriptor theirs(ends[1]);
  const auto channel = move_up(theirs.number());
  const auto file = move_up(program.number());
  if (!channel) return fail(channel.error());
  if (!file) return fail(file.error());

  std::string name = "grapnel-script-worker";
  std::string flag = argument;
  std::array<char*, 3> arguments{name.data(), flag.empty() ? nullptr : flag.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  ChildPlan plan{.channel = channel->number(),
                 .program = file->number(),
                 .arguments = arguments.data(),
                 .environment = environment.data()};
  // A handler of ours that ran in the child would run in our memory.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = spawn(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return system_failure("vfork", error);
  if (plan.error != 0) {
    waitpid(pid, nullptr, 0);
    return system_failure("executing the worker's program", plan.error);
  }
  FileDescriptor handle(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return StartedWorker{.pid = pid, .channel = std::move(ours), .handle = std::move(handle)};
}

}  // namespace grapnel::js
