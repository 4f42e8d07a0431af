#include "drivers/js/jail.h"

#include <fcntl.h>
#include <js/Utility.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace grapnel::js {
namespace {

/// Memory, time, threads that wait, and the end: nothing here reaches beyond the process.
constexpr std::array kAllowed{
    SCMP_SYS(futex),         SCMP_SYS(exit),
    SCMP_SYS(exit_group),    SCMP_SYS(munmap),
    SCMP_SYS(madvise),       SCMP_SYS(brk),
    SCMP_SYS(mremap),        SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(sched_yield),   SCMP_SYS(getpid),
    SCMP_SYS(gettid),        SCMP_SYS(getrandom),
    SCMP_SYS(getrusage),     SCMP_SYS(restart_syscall),
};

std::string refusal(std::string_view what, int error) {
  return std::string(what) + ": " + std::strerror(error);
}

std::uint64_t space_in_use() {
  std::uint64_t pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (!file) return 0;
  if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
  std::fclose(file);
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// Empty, or why not.
std::string bound_memory() {
  const std::uint64_t used = space_in_use();
  if (used == 0) return "memory: /proc/self/statm cannot be read";
  const rlimit space{.rlim_cur = used + kWorkerSpaceBytes, .rlim_max = used + kWorkerSpaceBytes};
  if (setrlimit(RLIMIT_AS, &space) != 0) return refusal("memory", errno);
  return {};
}

scmp_arg_cmp equal(unsigned argument, int value) {
  return {.arg = argument,
          .op = SCMP_CMP_EQ,
          .datum_a = static_cast<scmp_datum_t>(value),
          .datum_b = 0};
}

/// All of these bits, or none of them, are set.
scmp_arg_cmp bits(unsigned argument, int mask, int value) {
  return {.arg = argument,
          .op = SCMP_CMP_MASKED_EQ,
          .datum_a = static_cast<scmp_datum_t>(mask),
          .datum_b = static_cast<scmp_datum_t>(value)};
}

int allow_channel(scmp_filter_ctx filter) {
  for (const int call : {SCMP_SYS(read), SCMP_SYS(write)}) {
    const int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, equal(0, kChannel));
    if (error != 0) return error;
  }
  return 0;
}

/// Anonymous memory that holds no code, and the signal by which this process aborts.
int allow_memory_and_abort(scmp_filter_ctx filter) {
  int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, bits(2, PROT_EXEC, 0),
                               bits(3, MAP_ANONYMOUS, MAP_ANONYMOUS));
  if (error != 0) return error;
  error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, bits(2, PROT_EXEC, 0));
  if (error != 0) return error;
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2, equal(0, getpid()),
                          equal(2, SIGABRT));
}

int build_filter(scmp_filter_ctx filter) {
  int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  if (error == 0) {
    error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  }
  // What the kernel itself says, not libseccomp's reading of it.
  if (error == 0) error = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
  for (const int call : kAllowed) {
    if (error == 0) error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
  if (error == 0) error = allow_channel(filter);
  if (error == 0) error = allow_memory_and_abort(filter);
  if (error == 0) error = seccomp_load(filter);
  return error;
}

/// Empty, or why not.
std::string filter_calls() {
  // libseccomp gives no reason when there is no filter to be had, the kernel does.
  std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) {
    return refusal("seccomp", errno);
  }
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (!filter) return "seccomp: no filter can be made";
  const int error = build_filter(filter);
  // The filter is left to the end of the process: freeing it is one thing less that may ask for
  // something.
  return error == 0 ? std::string{} : refusal("seccomp", error < 0 ? -error : error);
}

void on_crash(int) {
  void* probe = mmap(nullptr, kShortageProbeBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) _exit(kExitMemory);
  munmap(probe, kShortageProbeBytes);
  // The handler is gone (SA_RESETHAND): what crashed does so again, and this time for good.
}

}  // namespace

void close_doors() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit nothing{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &nothing);
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file >= 0) {
    [[maybe_unused]] const ssize_t written = write(file, "1000", 4);
    close(file);
  }
}

void tell_shortage() {
  ::js::AutoEnterOOMUnsafeRegion::setAnnotateOOMAllocationSizeCallback(
      [](std::size_t) { _exit(kExitMemory); });
  void* room =
      mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return;
  const stack_t stack{.ss_sp = room, .ss_flags = 0, .ss_size = kSignalStackBytes};
  sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP}) {
    sigaction(number, &action, nullptr);
  }
}

ReadyFrame lock_up() {
  ReadyFrame ready;
  const auto note = [&ready](std::uint8_t part, const std::string& why) {
    if (why.empty()) return;
    ready.refused |= part;
    ready.reason += (ready.reason.empty() ? "" : "; ") + why;
  };
  note(kRefusedMemory, bound_memory());
  const rlimit nothing{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_NOFILE, &nothing);
  setrlimit(RLIMIT_NPROC, &nothing);
  setrlimit(RLIMIT_FSIZE, &nothing);
  note(kRefusedFilter, filter_calls());
  return ready;
}

}  // namespace grapnel::js
