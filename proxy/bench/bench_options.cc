#include "proxy/bench/bench_options.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <string_view>

#include "config/values/duration.h"
#include "protocol/table_name.h"
#include "proxy/bench/bench_pattern.h"

namespace proxymux::proxy {
namespace {

constexpr int kMaxClients = 100000;

// What Postfix's own clients send with a lookup: those of 3.7, and of 3.12 (after an open).
constexpr std::uint32_t kLegacyFlags = 524353;
constexpr std::uint32_t kNewInstanceFlags = 540737;
constexpr std::uint32_t kNewFlags = 1589329;

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

class BenchArgumentsReader {
 public:
  explicit BenchArgumentsReader(const BenchArguments& arguments) : arguments_(arguments) {}

  std::variant<BenchOptions, BenchOptionError> Read() {
    ReadTables();
    ReadMix();
    ReadLoad();
    ReadWire();
    options_.seed = arguments_.seed;
    ReadProcesses();
    if (!error_.empty()) return BenchOptionError{error_};
    return options_;
  }

 private:
  // The first one is told.
  void Fail(const std::string& text) {
    if (error_.empty()) error_ = text;
  }

  std::int64_t Duration(const char* option, const std::string& text) {
    std::string error;
    const auto value = config::ParseDuration(text, &error);
    if (!value) {
      Fail(std::string(option) + ": " + error);
      return 0;
    }
    return std::chrono::nanoseconds(*value).count();
  }

  double Share(const char* option, std::string_view text) {
    const bool percent = text.ends_with('%');
    if (percent) text.remove_suffix(1);
    const auto number = ParseNumber<double>(text);
    const double share = number ? *number / (percent ? 100 : 1) : -1;
    if (!(share >= 0 && share <= 1)) {
      Fail(std::string(option) + " takes a share, such as 10% or 0.1, at most 100%");
    }
    return share;
  }

  void ReadTables() {
    options_.socket = arguments_.socket;
    if (options_.socket.empty()) Fail("--socket is needed");
    if (arguments_.tables.empty()) Fail("--table is needed");
    for (const std::string& text : arguments_.tables) {
      BenchOptions::Table table;
      std::string_view name = text;
      const std::size_t equals = name.rfind('=');
      // A name may have a `=` of its own.
      if (equals != std::string_view::npos) {
        if (const auto weight = ParseNumber<double>(name.substr(equals + 1))) {
          if (!(*weight > 0) || !std::isfinite(*weight)) {
            Fail("--table " + text + ": the weight must be above 0");
          }
          table.weight = *weight;
          options_.weighted = true;
          name = name.substr(0, equals);
        }
      }
      name = protocol::StripProxyPrefixes(name);
      table.name = name;
      if (name.find(':') == std::string_view::npos) {
        Fail("--table " + text + " is not of the form TYPE:NAME, such as pgsql:/etc/postfix/x.cf");
      }
      options_.tables.push_back(std::move(table));
    }
    ReadKeys();
    ReadRange();
  }

  // One for all tables, or one for each.
  const std::string& For(std::size_t table, const std::vector<std::string>& values) const {
    return values[values.size() == 1 ? 0 : table];
  }
  void CheckNumber(const char* option, const std::vector<std::string>& values) {
    if (values.size() > 1 && values.size() != options_.tables.size()) {
      Fail(std::string(option) + " must be given once, or once for each table in their order");
    }
  }

  void ReadKeys() {
    const BenchArguments::Keys& a = arguments_.keys;
    CheckNumber("--keys-file", a.files);
    CheckNumber("--key-pattern", a.patterns);
    CheckNumber("--value-pattern", a.value_patterns);
    if (a.files.empty() == a.patterns.empty()) {
      Fail("one of --keys-file and --key-pattern is needed");
    }
    if (!a.value_patterns.empty() && !a.files.empty()) {
      Fail(
          "--value-pattern goes with --key-pattern; a file has values behind its keys: key TAB "
          "value");
    }
    if (!error_.empty()) return;
    for (std::size_t i = 0; i < options_.tables.size(); ++i) {
      BenchOptions::Table& table = options_.tables[i];
      if (!a.files.empty()) table.keys_file = For(i, a.files);
      if (!a.patterns.empty()) table.key_pattern = For(i, a.patterns);
      if (!a.value_patterns.empty()) table.value_pattern = For(i, a.value_patterns);
      for (const std::string* pattern : {&table.key_pattern, &table.value_pattern}) {
        std::string error;
        if (!BenchPattern::Parse(*pattern, &error)) Fail(error);
      }
    }
  }

  void ReadRange() {
    const std::string_view text = arguments_.keys.range;
    const std::size_t dash = text.find('-');
    const auto first = ParseNumber<std::uint64_t>(text.substr(0, dash));
    const auto last = dash == std::string_view::npos
                          ? std::nullopt
                          : ParseNumber<std::uint64_t>(text.substr(dash + 1));
    if (!first || !last || *first > *last || *last > std::uint64_t{1} << 53) {
      return Fail("--key-range takes two numbers, such as 1-1000000");
    }
    options_.range = {*first, *last};
  }

  void ReadMix() {
    const BenchArguments::Keys& a = arguments_.keys;
    BenchMixOptions& mix = options_.mix;
    if (a.distribution == "uniform") {
      mix.distribution = BenchDistribution::kUniform;
    } else if (a.distribution == "zipfian" || a.distribution == "zipf") {
      mix.distribution = BenchDistribution::kZipfian;
    } else if (a.distribution == "hot") {
      mix.distribution = BenchDistribution::kHot;
    } else if (a.distribution == "sequential") {
      mix.distribution = BenchDistribution::kSequential;
    } else {
      Fail("--distribution is one of uniform, zipfian, hot and sequential");
    }
    if (!(a.zipf_exponent > 0 && a.zipf_exponent <= 100)) {
      Fail("--zipf-exponent must be above 0, and 100 at most");
    }
    if (a.hot_keys == 0) Fail("--hot-keys must be above 0");
    mix.zipf_exponent = a.zipf_exponent;
    mix.hot_keys = a.hot_keys;
    mix.hot_share = Share("--hot-share", a.hot_share);
    mix.miss_share = Share("--miss-share", a.miss_share);
  }

  void ReadLoad() {
    const BenchArguments::Load& a = arguments_.load;
    if (a.clients < 1 || a.clients > kMaxClients) {
      Fail("--clients must be 1 to " + std::to_string(kMaxClients));
    }
    if (a.idle_clients < 0 || a.idle_clients > kMaxClients) {
      Fail("--idle-clients must be 0 to " + std::to_string(kMaxClients));
    }
    if (!(a.rate >= 0) || a.rate > 1e7) Fail("--rate must be 0 (as fast as it goes) to 10000000");
    if (a.arrivals != "even" && a.arrivals != "poisson") {
      Fail("--arrivals is one of even and poisson");
    }
    options_.clients = a.clients;
    options_.idle_clients = a.idle_clients;
    options_.rate = a.rate;
    options_.arrivals =
        a.arrivals == "even" ? BenchArrivals::Spacing::kEven : BenchArrivals::Spacing::kPoisson;
    options_.think_time_ns = Duration("--think-time", a.think_time);
    if (options_.rate > 0 && options_.think_time_ns > 0) {
      Fail("--think-time and --rate exclude each other");
    }
    const std::string default_duration = a.requests > 0 ? "0s" : "10s";
    options_.duration_ns =
        Duration("--duration", a.duration.empty() ? default_duration : a.duration);
    options_.requests = a.requests;
    if (options_.duration_ns == 0 && a.requests == 0) Fail("--duration must be above 0");
    options_.warm_up_ns = Duration("--warm-up", a.warm_up);
    options_.timeout_ns = Duration("--timeout", a.timeout);
    options_.connect_timeout_ns = Duration("--connect-timeout", a.connect_timeout);
    if (a.connect_rate != 0 && !(a.connect_rate >= 0.1 && a.connect_rate <= 1e6)) {
      Fail("--connect-rate must be 0 (as fast as it goes), or 0.1 to 1000000");
    }
    if (a.connect_rate > 0) {
      options_.connect_interval_ns = static_cast<std::int64_t>(1e9 / a.connect_rate);
    }
  }

  void ReadWire() {
    const BenchArguments::Wire& a = arguments_.wire;
    if (a.dialect == "legacy") {
      options_.wire.dialect = protocol::Dialect::kLegacy;
    } else if (a.dialect == "3.11") {
      options_.wire.dialect = protocol::Dialect::kInstanceFlags;
    } else if (a.dialect == "auto") {
      options_.wire.dialect = a.installed;
    } else {
      Fail("--dialect is one of auto, legacy and 3.11");
    }
    const bool legacy = options_.wire.dialect == protocol::Dialect::kLegacy;
    options_.wire.flags = a.flags.value_or(legacy ? kLegacyFlags : kNewFlags);
    options_.wire.instance_flags = a.instance_flags.value_or(kNewInstanceFlags);
    options_.wire.greeting = !a.no_greeting;
  }

  void ReadProcesses() {
    for (const std::string& text : arguments_.cpu_of) {
      const std::size_t equals = text.find('=');
      const bool named = equals != std::string::npos;
      const auto pid = ParseNumber<pid_t>(named ? text.substr(equals + 1) : text);
      if (!pid || *pid < 1) {
        return Fail("--cpu-of takes process ids, each alone or as NAME=PID, not \"" + text + "\"");
      }
      options_.processes.push_back({named ? text.substr(0, equals) : text, *pid});
    }
  }

  const BenchArguments& arguments_;
  BenchOptions options_;
  std::string error_;
};

}  // namespace

std::variant<BenchOptions, BenchOptionError> ReadBenchArguments(const BenchArguments& arguments) {
  return BenchArgumentsReader(arguments).Read();
}

}  // namespace proxymux::proxy
