// What `proxymux bench` is told: the words of the command line, and what they mean once they have
// been checked. Pure; reading key files is the command's business.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/dialect.h"
#include "proxy/bench/bench_arrivals.h"
#include "proxy/bench/bench_keys.h"
#include "proxy/bench/bench_mix.h"

namespace proxymux::proxy {

// As typed; what is here is the default.
struct BenchArguments {
  struct Keys {
    std::vector<std::string> files, patterns, value_patterns;
    std::string range = "1-1000";
    std::string distribution = "uniform";
    double zipf_exponent = 1.1;
    std::uint64_t hot_keys = 1;
    std::string hot_share = "90%";
    std::string miss_share = "0%";
  };
  struct Load {
    int clients = 1;
    int idle_clients = 0;
    double rate = 0;
    std::string arrivals = "even";
    std::string think_time = "0s";
    std::string duration;
    std::uint64_t requests = 0;
    std::string warm_up = "1s";
    std::string timeout = "30s";
    std::string connect_timeout = "30s";
    double connect_rate = 0;
  };
  struct Wire {
    std::string dialect = "auto";
    protocol::Dialect installed = protocol::Dialect::kLegacy;  // what `auto` means
    std::optional<std::uint32_t> flags, instance_flags;
    bool no_greeting = false;
  };

  std::string socket;
  std::vector<std::string> tables;  // TYPE:NAME or TYPE:NAME=WEIGHT
  Keys keys;
  Load load;
  Wire wire;
  std::uint64_t seed = 1;
  std::vector<std::string> cpu_of;  // PID or NAME=PID
  bool progress = false, quiet = false, json = false;
};

struct BenchOptions {
  struct Table {
    std::string name;  // without proxy:
    double weight = 1;
    std::string keys_file;  // or else a pattern
    std::string key_pattern, value_pattern;
  };
  struct Process {
    std::string name;
    pid_t pid = 0;
  };
  struct Wire {
    protocol::Dialect dialect = protocol::Dialect::kLegacy;
    std::uint32_t flags = 0, instance_flags = 0;
    bool greeting = true;
  };

  std::string socket;
  std::vector<Table> tables;
  bool weighted = false;  // else the tables take turns
  NumberRange range;
  BenchMixOptions mix;
  int clients = 1;
  int idle_clients = 0;
  double rate = 0;  // lookups/s; 0: closed loop
  BenchArrivals::Spacing arrivals = BenchArrivals::Spacing::kEven;
  std::int64_t think_time_ns = 0;
  std::int64_t duration_ns = 0;  // 0: until `requests` are done
  std::uint64_t requests = 0;    // 0: until the duration is over
  std::int64_t warm_up_ns = 0;
  std::int64_t timeout_ns = 0;
  std::int64_t connect_timeout_ns = 0;
  std::int64_t connect_interval_ns = 0;  // 0: as fast as the listen queue bears
  Wire wire;
  std::uint64_t seed = 1;
  std::vector<Process> processes;
};

struct BenchOptionError {
  std::string text;
};

std::variant<BenchOptions, BenchOptionError> ReadBenchArguments(const BenchArguments& arguments);

}  // namespace proxymux::proxy
