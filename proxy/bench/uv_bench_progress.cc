#include "proxy/bench/uv_bench_progress.h"

#include <chrono>

namespace proxymux::proxy {
namespace {

std::int64_t Now() { return static_cast<std::int64_t>(uv_hrtime()); }

}  // namespace

void UvBenchProgress::Begin(uv_loop_t* loop, Line line) {
  if (!print_) return;
  line_ = std::move(line);
  began_ = printed_ = Now();
  timer_ = UvTimer(loop, [this] { Print(); });
  timer_.StartRepeating(std::chrono::seconds(1));
}

void UvBenchProgress::Print() {
  const std::int64_t now = Now();
  print_(line_(static_cast<double>(now - began_) / 1e9, static_cast<double>(now - printed_) / 1e9));
  printed_ = now;
}

}  // namespace proxymux::proxy
