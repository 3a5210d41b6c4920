#include "proxy/bench/bench_report.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

namespace proxymux::proxy {
namespace {

using nlohmann::ordered_json;
using pgsql::FineLatencyHistogram;

struct Quantile {
  const char* name;
  double fraction;
};
constexpr Quantile kQuantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

double Milliseconds(double ns) { return ns / 1e6; }
double Milliseconds(std::chrono::nanoseconds time) {
  return Milliseconds(static_cast<double>(time.count()));
}

// With its fractions of a nanosecond, unlike Mean().
double MeanMilliseconds(const FineLatencyHistogram& latencies) {
  return latencies.count() == 0 ? 0
                                : Milliseconds(static_cast<double>(latencies.sum().count()) /
                                               static_cast<double>(latencies.count()));
}

std::string Grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

double PerLookup(double seconds, std::uint64_t lookups) {
  return lookups == 0 ? 0 : seconds * 1e6 / static_cast<double>(lookups);
}

const char* DistributionName(BenchDistribution distribution) {
  switch (distribution) {
    case BenchDistribution::kUniform:
      return "uniform";
    case BenchDistribution::kZipfian:
      return "zipfian";
    case BenchDistribution::kHot:
      return "hot";
    case BenchDistribution::kSequential:
      return "sequential";
  }
  return "";
}

std::string KeysText(const BenchMixOptions& mix) {
  std::string text = DistributionName(mix.distribution);
  if (mix.distribution == BenchDistribution::kZipfian) {
    text += fmt::format(" with exponent {:g}", mix.zipf_exponent);
  }
  if (mix.distribution == BenchDistribution::kHot) {
    text += fmt::format(", {:g}% for {} hot", mix.hot_share * 100, mix.hot_keys);
  }
  if (mix.miss_share > 0) text += fmt::format(", {:g}% missing", mix.miss_share * 100);
  return text;
}

std::string LoopText(const BenchOptions& options) {
  if (options.rate > 0) {
    return fmt::format("open loop at {:g} lookups/s, {}", options.rate,
                       options.arrivals == BenchArrivals::Spacing::kEven ? "even" : "poisson");
  }
  if (options.think_time_ns == 0) return "closed loop";
  return fmt::format("closed loop, {:g} ms think time",
                     Milliseconds(static_cast<double>(options.think_time_ns)));
}

std::string CountsText(const BenchCounts& counts) {
  std::string text = fmt::format("{} OK, {} NOKEY", Grouped(counts.ok), Grouped(counts.no_key));
  const auto add = [&text](std::uint64_t count, const char* name) {
    if (count > 0) text += fmt::format(", {} {}", Grouped(count), name);
  };
  add(counts.retry, "RETRY");
  add(counts.config, "CONFIG");
  add(counts.bad, "BAD");
  add(counts.deny, "DENY");
  add(counts.malformed, "malformed");
  add(counts.lost, "lost");
  add(counts.wrong, "of them wrong");
  return text;
}

ordered_json CountsJson(const BenchCounts& counts) {
  return {{"lookups", counts.Lookups()}, {"ok", counts.ok},
          {"nokey", counts.no_key},      {"retry", counts.retry},
          {"config", counts.config},     {"bad", counts.bad},
          {"deny", counts.deny},         {"malformed", counts.malformed},
          {"lost", counts.lost},         {"wrong", counts.wrong}};
}

}  // namespace

bool BenchResult::Good() const {
  const BenchCounts counts = tally.Counts();
  return counts.ok + counts.no_key > 0 && counts.wrong == 0 && counts.lost == 0 &&
         counts.malformed == 0 && gone.empty();
}

std::string BenchText(const BenchOptions& options, const BenchResult& result) {
  const BenchCounts counts = result.tally.Counts();
  const FineLatencyHistogram& latencies = result.tally.latencies();
  std::string text;
  const auto line = [&text](std::string_view name, const std::string& value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  line("service", options.socket);
  line("clients",
       fmt::format("{} of {} connected, {}", result.connected, options.clients, LoopText(options)));
  if (options.idle_clients > 0) {
    line("idle", fmt::format("{} of {} connected, closed {} times", result.idle_connected,
                             options.idle_clients, result.idle_ends));
  }
  line("keys", KeysText(options.mix));
  line("measured", fmt::format("{:.2f} s after {:g} s of warm-up", result.seconds,
                               static_cast<double>(options.warm_up_ns) / 1e9));
  line("lookups", fmt::format("{}, {}/s", Grouped(counts.Lookups()),
                              Grouped(static_cast<std::uint64_t>(result.lookups_per_second))));
  line("answers", CountsText(counts) + (result.verified ? "; verified" : "; not verified"));
  std::string quantiles = fmt::format("mean {:.3f}", MeanMilliseconds(latencies));
  for (const Quantile& quantile : kQuantiles) {
    quantiles += fmt::format("  {} {:.3f}", quantile.name,
                             Milliseconds(latencies.Percentile(quantile.fraction)));
  }
  line("latency ms", quantiles + fmt::format("  max {:.3f}", Milliseconds(latencies.max())));
  if (options.rate > 0) {
    line("schedule",
         fmt::format("{} sent more than 1 ms late, {} not sent", Grouped(result.tally.sent_late()),
                     Grouped(result.tally.unsent())));
  }
  line("connects",
       fmt::format("{}, {} of them again; {} lookups asked again", Grouped(result.connects),
                   Grouped(result.reconnects), Grouped(result.asked_again)));
  const std::uint64_t answered = counts.Answered();
  double sum = 0;
  for (const auto& process : result.processes) {
    sum += process.cpu_seconds;
    line("cpu", fmt::format("{:.2f} us/lookup  {} ({}), {} processes, {} KiB resident",
                            PerLookup(process.cpu_seconds, answered), process.name, process.pid,
                            process.end.processes, process.end.resident_kib));
  }
  if (result.processes.size() > 1) {
    line("cpu", fmt::format("{:.2f} us/lookup  in all", PerLookup(sum, answered)));
  }
  line("own cpu",
       fmt::format("{:.2f} us/lookup  this program", PerLookup(result.own_cpu_seconds, answered)));
  if (options.tables.size() > 1) {
    for (std::size_t i = 0; i < options.tables.size(); ++i) {
      line("table", options.tables[i].name + ": " + CountsText(result.tally.tables()[i]));
    }
  }
  for (const std::string& example : result.wrong_examples) line("wrong", example);
  if (!result.gone.empty()) line("gone", "no client could connect at the end: " + result.gone);
  if (answered > 0 && answered == counts.bad) {
    line("hint", "every answer was BAD: does the service speak the other --dialect?");
  }
  if (answered == 0 && counts.malformed > 0) {
    line("hint", "no answer was in form: is --dialect right, and is --no-greeting?");
  }
  return text;
}

std::string BenchJson(const BenchOptions& options, const BenchResult& result) {
  const BenchCounts counts = result.tally.Counts();
  const FineLatencyHistogram& latencies = result.tally.latencies();
  const std::uint64_t answered = counts.Answered();
  ordered_json json;
  json["socket"] = options.socket;
  json["clients"] = options.clients;
  json["idle_clients"] = options.idle_clients;
  json["loop"] = options.rate > 0 ? "open" : "closed";
  json["rate"] = options.rate;
  json["dialect"] = options.wire.dialect == protocol::Dialect::kLegacy ? "legacy" : "3.11";
  json["distribution"] = DistributionName(options.mix.distribution);
  json["miss_share"] = options.mix.miss_share;
  json["seed"] = options.seed;
  json["seconds"] = result.seconds;
  json["lookups_per_second"] = result.lookups_per_second;
  json["verified"] = result.verified;
  json["counts"] = CountsJson(counts);
  json["unsent"] = result.tally.unsent();
  json["sent_late"] = result.tally.sent_late();
  ordered_json latency = {{"mean", MeanMilliseconds(latencies)},
                          {"min", Milliseconds(latencies.min())}};
  for (const Quantile& quantile : kQuantiles) {
    latency[quantile.name] = Milliseconds(latencies.Percentile(quantile.fraction));
  }
  latency["max"] = Milliseconds(latencies.max());
  json["latency_ms"] = latency;
  json["connections"] = {{"connected", result.connected}, {"idle_connected", result.idle_connected},
                         {"connects", result.connects},   {"reconnects", result.reconnects},
                         {"idle_ends", result.idle_ends}, {"asked_again", result.asked_again}};
  json["own_cpu_us_per_lookup"] = PerLookup(result.own_cpu_seconds, answered);
  json["processes"] = ordered_json::array();
  for (const auto& process : result.processes) {
    json["processes"].push_back({{"name", process.name},
                                 {"pid", process.pid},
                                 {"cpu_seconds", process.cpu_seconds},
                                 {"cpu_us_per_lookup", PerLookup(process.cpu_seconds, answered)},
                                 {"processes", process.end.processes},
                                 {"resident_kib", process.end.resident_kib}});
  }
  json["tables"] = ordered_json::array();
  for (std::size_t i = 0; i < options.tables.size(); ++i) {
    ordered_json table = {{"name", options.tables[i].name}};
    table.update(CountsJson(result.tally.tables()[i]));
    json["tables"].push_back(table);
  }
  json["wrong_examples"] = result.wrong_examples;
  json["gone"] = result.gone;
  json["good"] = result.Good();
  // Keys and values may hold any bytes.
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

std::string BenchProgressLine(double at_seconds, double interval_seconds,
                              const BenchTally::Interval& interval, int connected, bool warm_up) {
  const FineLatencyHistogram& latencies = interval.latencies;
  return fmt::format(
      "{:.1f} s: {:.0f} lookups/s, p50 {:.3f} ms, p99 {:.3f} ms, max {:.3f} ms, {} failed, {} "
      "clients{}",
      at_seconds, static_cast<double>(latencies.count()) / interval_seconds,
      Milliseconds(latencies.Percentile(0.5)), Milliseconds(latencies.Percentile(0.99)),
      Milliseconds(latencies.max()), interval.failed, connected, warm_up ? " (warm-up)" : "");
}

}  // namespace proxymux::proxy
