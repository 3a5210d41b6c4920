// The limits and times that stock proxymap processes are kept to, and where they come from.
#pragma once

#include <chrono>
#include <cstddef>

namespace proxymux::proxy {

enum class StockMode {
  kService,  // connections to a stock service that somebody else runs
  kSpawn,    // processes of our own
};

struct StockPolicy {
  StockMode mode = StockMode::kService;
  std::size_t processes = 10;  // slots
  std::size_t queue_limit = 10000;
  std::chrono::milliseconds request_timeout{120000};  // waiting and running
  std::chrono::milliseconds process_idle{60000};
  std::chrono::milliseconds connection_idle{5000};
  std::chrono::milliseconds connection_ttl{1000};
  std::chrono::milliseconds lease_idle{5000};
  // kSpawn: from start or connect to the greeting.
  std::chrono::milliseconds greeting_timeout{30000};
  std::chrono::milliseconds ask_grace{2000};
  std::chrono::milliseconds term_grace{1000};
  std::chrono::milliseconds first_backoff{100};
  std::chrono::milliseconds longest_backoff{10000};
};

}  // namespace proxymux::proxy
