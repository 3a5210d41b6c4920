#include "proxy/bench/process_tree.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>

namespace proxymux::proxy {
namespace {

struct Row {
  pid_t parent = 0;
  std::uint64_t ticks = 0;
  std::uint64_t resident_pages = 0;
};

// proc(5), /proc/PID/stat. The command in parentheses may hold anything, a `)` too.
std::optional<Row> ReadRow(const std::filesystem::path& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(close + 1));
  Row row;
  std::string field;
  for (int number = 3; fields >> field; ++number) {
    std::int64_t value = 0;
    std::from_chars(field.data(), field.data() + field.size(), value);
    if (number == 4) row.parent = static_cast<pid_t>(value);
    // utime, stime, cutime, cstime
    if (number >= 14 && number <= 17) row.ticks += static_cast<std::uint64_t>(value);
    if (number == 24) {
      row.resident_pages = static_cast<std::uint64_t>(std::max<std::int64_t>(0, value));
      return row;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<ProcessUse> UseOfProcessTrees(const std::vector<pid_t>& roots,
                                          const std::string& proc) {
  std::map<pid_t, Row> rows;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(proc, error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const char* const end = name.data() + name.size();
    if (std::from_chars(name.data(), end, pid).ptr != end) continue;
    if (const auto row = ReadRow(entry.path() / "stat")) rows.emplace(pid, *row);
  }
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page_kib = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE) / 1024);
  std::vector<ProcessUse> uses(roots.size());
  for (const auto& [pid, row] : rows) {
    // Rows were read one after the other, so parents could form a ring; they are fewer than rows.
    pid_t at = pid;
    for (std::size_t steps = 0; steps < rows.size(); ++steps) {
      const auto root = std::find(roots.begin(), roots.end(), at);
      if (root != roots.end()) {
        ProcessUse& use = uses[static_cast<std::size_t>(root - roots.begin())];
        ++use.processes;
        use.cpu_seconds += static_cast<double>(row.ticks) * tick;
        use.resident_kib += row.resident_pages * page_kib;
        break;
      }
      const auto parent = rows.find(at);
      if (parent == rows.end()) break;
      at = parent->second.parent;
    }
  }
  return uses;
}

}  // namespace proxymux::proxy
