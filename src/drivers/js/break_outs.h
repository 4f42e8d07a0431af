// WORKER. The proof that the filter holds, from inside: each attempt is a system call that a script
// must never cause. Only a worker that was started for it (kBreakOutArgument) obeys such frames.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace grapnel::js {

inline constexpr std::string_view kBreakOutArgument = "--break-out";

inline constexpr std::array<std::string_view, 20> kBreakOuts{
    "open",        "socket",        "connect",      "execve",     "clone",
    "fork",        "ptrace",        "kill",         "mmap exec",  "mprotect exec",
    "mmap a file", "write to fd 1", "prlimit",      "seccomp",    "prctl",
    "sendto",      "io_uring",      "memfd_create", "process_vm", "tgkill others"};

/// Tries it. Returns only where it was let through, or refused otherwise than by death.
void break_out(std::uint32_t attempt);

}  // namespace grapnel::js
