// What a process and everything below it have used, from /proc.
//
// The kernel adds a process's time to its parent's when the parent has waited for it, so the sum
// over a living tree with "time of children waited for" has what ended meanwhile, too: workers of
// master(8) and backends of PostgreSQL may come and go. The kernel's figures have steps of 10 ms
// for each process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace proxymux::proxy {

struct ProcessUse {
  int processes = 0;  // alive now; 0: the root is gone
  double cpu_seconds = 0;
  std::uint64_t resident_kib = 0;  // shared pages count for each that has them
};

// One element for each root. A process below several of them counts for the nearest.
std::vector<ProcessUse> UseOfProcessTrees(const std::vector<pid_t>& roots,
                                          const std::string& proc = "/proc");

}  // namespace proxymux::proxy
