#include "drivers/js/break_outs.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drivers/js/jail.h"
#include "drivers/js/limits.h"

namespace grapnel::js {
namespace {

long try_files_and_processes(std::string_view what) {
  if (what == "open") return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
  if (what == "socket") return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
  if (what == "connect") return syscall(SYS_connect, kChannel, nullptr, 0);
  if (what == "execve") return syscall(SYS_execve, "/bin/sh", nullptr, nullptr);
  if (what == "clone") return syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
#ifdef SYS_fork
  if (what == "fork") return syscall(SYS_fork);
#else
  if (what == "fork") return syscall(SYS_clone3, nullptr, 0);
#endif
  if (what == "ptrace") return syscall(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr);
  if (what == "kill") return syscall(SYS_kill, 1, 0);
  if (what == "tgkill others") return syscall(SYS_tgkill, 1, 1, SIGABRT);
  if (what == "process_vm") return syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0);
  return 0;
}

long try_memory_and_rights(std::string_view what) {
  const int code = PROT_READ | PROT_WRITE | PROT_EXEC;
  const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  if (what == "mmap exec") return syscall(SYS_mmap, nullptr, 1_KiB, code, anonymous, -1, 0);
  if (what == "mprotect exec") return syscall(SYS_mprotect, nullptr, 1_KiB, code);
  if (what == "mmap a file") return syscall(SYS_mmap, nullptr, 1_KiB, PROT_READ, MAP_PRIVATE, 0, 0);
  if (what == "write to fd 1") return syscall(SYS_write, 1, "x", 1);
  if (what == "prlimit") return syscall(SYS_prlimit64, 0, RLIMIT_AS, nullptr, nullptr);
  if (what == "seccomp") return syscall(SYS_seccomp, 0, 0, nullptr);
  if (what == "prctl") return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (what == "sendto") return syscall(SYS_sendto, kChannel, "x", 1, 0, nullptr, 0);
  if (what == "io_uring") return syscall(SYS_io_uring_setup, 1, nullptr);
  if (what == "memfd_create") return syscall(SYS_memfd_create, "x", 0);
  return 0;
}

}  // namespace

void break_out(std::uint32_t attempt) {
  if (attempt >= kBreakOuts.size()) return;
  try_files_and_processes(kBreakOuts[attempt]);
  try_memory_and_rights(kBreakOuts[attempt]);
}

}  // namespace grapnel::js
