#include "proxy/cli/bench_command.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/dialect.h"
#include "proxy/bench/bench_keys.h"
#include "proxy/bench/bench_options.h"
#include "proxy/bench/bench_plan.h"
#include "proxy/bench/bench_report.h"
#include "proxy/bench/uv_bench.h"
#include "proxy/cli/config_directory.h"
#include "proxy/process/descriptor_limit.h"
#include "proxy/process/postfix_settings.h"

namespace proxymux::proxy {
namespace {

constexpr int kWrongUsage = 2;

int Fail(const std::string& text, int status) {
  std::cerr << "proxymux bench: " << text << "\n";
  return status;
}

// None: `*error` says why.
std::optional<BenchKeys> KeysOf(const BenchOptions& options, const BenchOptions::Table& table,
                                std::string* error) {
  if (table.keys_file.empty()) {
    return BenchKeys::FromPattern(table.key_pattern, table.value_pattern, options.range, error);
  }
  std::ifstream file(table.keys_file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    *error = "cannot read " + table.keys_file;
    return std::nullopt;
  }
  auto keys = BenchKeys::FromText(std::move(text));
  if (!keys) *error = "there is no key in " + table.keys_file;
  return keys;
}

int Bench(BenchArguments arguments) {
  if (arguments.wire.dialect == "auto") {
    if (const auto version = ReadMailVersion(DefaultConfigDirectory())) {
      arguments.wire.installed = protocol::DialectOfRelease(version->major, version->minor);
    }
  }
  auto read = ReadBenchArguments(arguments);
  if (const auto* error = std::get_if<BenchOptionError>(&read)) {
    return Fail(error->text, kWrongUsage);
  }
  const BenchOptions& options = std::get<BenchOptions>(read);
  std::string error;
  std::vector<BenchKeys> keys;
  for (const BenchOptions::Table& table : options.tables) {
    auto of_table = KeysOf(options, table, &error);
    if (!of_table) return Fail(error, kWrongUsage);
    keys.push_back(std::move(*of_table));
  }
  const auto wanted = static_cast<std::size_t>(options.clients + options.idle_clients) + 50;
  const std::size_t allowed = RaiseDescriptorLimit(wanted);
  if (allowed < wanted) {
    return Fail("so many clients need " + std::to_string(wanted) + " open files, but " +
                    std::to_string(allowed) + " are allowed (ulimit -n)",
                EXIT_FAILURE);
  }
  BenchPlan plan(options, std::move(keys));
  UvBench::Print progress;
  if (arguments.progress || (isatty(STDERR_FILENO) != 0 && !arguments.quiet)) {
    progress = [](const std::string& line) { std::cerr << line << std::endl; };
  }
  const auto result = UvBench(options, &plan, std::move(progress)).Run(&error);
  if (!result) return Fail(error, EXIT_FAILURE);
  if (arguments.json) {
    std::cout << BenchJson(options, *result) << "\n";
  } else {
    std::cout << BenchText(options, *result);
  }
  return result->Good() ? EXIT_SUCCESS : EXIT_FAILURE;
}

// One value for each time that the option is given.
template <typename Value>
CLI::Option* AddList(CLI::App* command, const char* name, Value& values, const char* help) {
  return command->add_option(name, values, help)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void AddTarget(CLI::App* bench, BenchArguments* a) {
  bench->add_option("-s,--socket", a->socket, "The service's UNIX socket")->required();
  AddList(bench, "--table", a->tables, "TYPE:NAME to ask for, or TYPE:NAME=WEIGHT; may be repeated")
      ->required();
  bench
      ->add_option("--dialect", a->wire.dialect,
                   "auto (of the installed Postfix), legacy (before 3.11) or 3.11")
      ->capture_default_str();
  bench->add_flag("--no-greeting", a->wire.no_greeting, "The service is of Postfix before 3.6");
  bench->add_option("--flags", a->wire.flags, "Flags of a lookup; default: as Postfix's clients");
  bench->add_option("--instance-flags", a->wire.instance_flags, "The 3.11 dialect's other flags");
}

void AddKeys(CLI::App* bench, BenchArguments* a) {
  AddList(bench, "--keys-file", a->keys.files,
          "KEY or KEY TAB VALUE lines; once, or once for each table");
  AddList(bench, "--key-pattern", a->keys.patterns,
          "Key with %d, %06d or %{100}d (modulo); once, or once for each table");
  AddList(bench, "--value-pattern", a->keys.value_patterns,
          "The value of that key, to verify answers");
  bench->add_option("--key-range", a->keys.range, "Numbers of the pattern")->capture_default_str();
  bench->add_option("--distribution", a->keys.distribution, "uniform, zipfian, hot or sequential")
      ->capture_default_str();
  bench->add_option("--zipf-exponent", a->keys.zipf_exponent, "For zipfian")->capture_default_str();
  bench->add_option("--hot-keys", a->keys.hot_keys, "For hot: how many keys are hot")
      ->capture_default_str();
  bench->add_option("--hot-share", a->keys.hot_share, "For hot: share of lookups that go to them")
      ->capture_default_str();
  bench
      ->add_option("--miss-share", a->keys.miss_share,
                   "Share of lookups for keys that do not exist")
      ->capture_default_str();
  bench->add_option("--seed", a->seed, "Of the random numbers")->capture_default_str();
}

void AddLoad(CLI::App* bench, BenchArguments* a) {
  bench->add_option("-c,--clients", a->load.clients, "Connections that ask")->capture_default_str();
  bench->add_option("--idle-clients", a->load.idle_clients, "Further connections, which do not")
      ->capture_default_str();
  bench->add_option("-R,--rate", a->load.rate, "Lookups/s over all clients; 0: as fast as they can")
      ->capture_default_str();
  bench->add_option("--arrivals", a->load.arrivals, "With a rate: even or poisson")
      ->capture_default_str();
  bench->add_option("--think-time", a->load.think_time, "Between an answer and the next lookup")
      ->capture_default_str();
  bench->add_option("-T,--duration", a->load.duration, "Of the measurement; default: 10s");
  bench->add_option("-t,--requests", a->load.requests, "End after so many lookups");
  bench->add_option("--warm-up", a->load.warm_up, "Load before the measurement")
      ->capture_default_str();
  bench->add_option("--timeout", a->load.timeout, "Wait for answers at the end")
      ->capture_default_str();
  bench->add_option("--connect-rate", a->load.connect_rate, "Connects/s; 0: as fast as they can")
      ->capture_default_str();
  bench->add_option("--connect-timeout", a->load.connect_timeout, "Wait for all clients to connect")
      ->capture_default_str();
}

void AddOutput(CLI::App* bench, BenchArguments* a) {
  AddList(bench, "--cpu-of", a->cpu_of, "PID or NAME=PID,...: processor time per lookup")
      ->delimiter(',');
  bench->add_flag("-P,--progress", a->progress, "A line each second, as on a terminal");
  bench->add_flag("-q,--quiet", a->quiet, "No such lines");
  bench->add_flag("--json", a->json, "The result as JSON");
}

}  // namespace

void AddBenchCommand(CLI::App* app, int* status) {
  // Lives as long as the command that fills it.
  const auto arguments = std::make_shared<BenchArguments>();
  CLI::App* bench = app->add_subcommand("bench", "Put load on a proxymap service and measure it");
  AddTarget(bench, arguments.get());
  AddKeys(bench, arguments.get());
  AddLoad(bench, arguments.get());
  AddOutput(bench, arguments.get());
  bench->callback([arguments, status] { *status = Bench(*arguments); });
}

}  // namespace proxymux::proxy
