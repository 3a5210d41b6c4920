#include "tests/bench/compare_world.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "tests/bench/bare_server.h"
#include "tests/bench/bench_json.h"
#include "tests/bench/running_instance.h"
#include "tests/bench/session_watch.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/process.h"

namespace proxymux::bench {
namespace {

using harness::CommandOptions;
using harness::PostfixInstance;
using harness::RunCommand;
using harness::Service;
using Words = std::vector<std::string>;

constexpr char kKeys[] = "user%d@example.com";
constexpr char kValues[] = "box%d@store.example.net";
constexpr char kLargeTable[] = "alias";
constexpr int kFairnessSeconds = 5;  // at least: the slow table answers few lookups a second
constexpr char kSlowFile[] = "slow.cf";
constexpr char kPgpoolFile[] = "pgpool.cf";
constexpr double kConnectSeconds = 10;  // for very many clients

harness::PostgresCluster::Options ServerOptions() {
  harness::PostgresCluster::Options options;
  options.settings = {"shared_buffers = 512MB"};
  return options;
}

// Its session on the server ends with its client's: each measurement begins without any.
harness::Pgpool::Options PgpoolOptions() {
  harness::Pgpool::Options options;
  options.settings = {"connection_cache = off"};
  return options;
}

std::string FileName(int number) { return "alias" + std::to_string(number) + ".cf"; }
std::string TableOfRows(int rows) { return "alias_" + std::to_string(rows); }
std::string FileOfRows(int rows) { return TableOfRows(rows) + ".cf"; }
std::string Seconds(int seconds) { return std::to_string(seconds) + "s"; }

std::string RunToEnd(const Words& words) {
  CommandOptions options;
  options.limit = harness::seconds(300);
  const auto result = RunCommand(words, options);
  if (result.status != 0) {
    throw std::runtime_error("proxymux bench: status " + std::to_string(result.status) + " " +
                             result.err + result.out);
  }
  return result.out;
}

}  // namespace

CompareWorld::CompareWorld(const Options& options)
    : options_(options),
      server_(directory_ / "pg", ServerOptions()),
      pgpool_(directory_ / "pgpool", server_.port(), PgpoolOptions()),
      stock_(directory_ / "stock", InstanceOptions(Service::kStock)),
      proxymux_(directory_ / "mux", InstanceOptions(Service::kInPlace)) {
  server_.Start();
  const std::string role = harness::kMailRole;
  server_.Sql("postgres",
              "CREATE ROLE " + role + " LOGIN PASSWORD '" + harness::kMailPassword + "'");
  server_.Sql("postgres", "CREATE DATABASE " + std::string(harness::kMailDatabase));
  CreateTable(kLargeTable, options_.rows);
  for (const int rows : options_.further_rows) CreateTable(TableOfRows(rows), rows);
}

void CompareWorld::CreateTable(const std::string& name, int rows) {
  server_.Sql(harness::kMailDatabase, "CREATE TABLE " + name +
                                          " (address text PRIMARY KEY, goto text NOT NULL);" +
                                          "INSERT INTO " + name +
                                          " SELECT 'user' || n || '@example.com', 'box' || n || "
                                          "'@store.example.net' FROM generate_series(1, " +
                                          std::to_string(rows) + ") n;" + "GRANT SELECT ON " +
                                          name + " TO " + harness::kMailRole);
  server_.Sql(harness::kMailDatabase, "VACUUM ANALYZE " + name);
}

PostfixInstance::Options CompareWorld::InstanceOptions(Service service) {
  PostfixInstance::Options options;
  options.service = service;
  if (service != Service::kStock) options.proxymux = harness::ProxymuxBinary();
  const auto add = [&](const std::string& file, const std::string& host, const std::string& from) {
    options.tables.push_back(
        {file, harness::TableText(host, "SELECT goto FROM " + from + " WHERE address = '%s'")});
  };
  const std::string server = server_.TcpHost();
  for (int i = 0; i < kMostTables; ++i) add(FileName(i), server, kLargeTable);
  for (const int rows : options_.further_rows) add(FileOfRows(rows), server, TableOfRows(rows));
  add(kSlowFile, server, std::string(kLargeTable) + ", pg_sleep(0.2)");
  add(kPgpoolFile, pgpool_.TcpHost(), kLargeTable);
  return options;
}

std::string CompareWorld::ServerPid() const {
  std::ifstream file(server_.socket_directory() + "/data/postmaster.pid");
  std::string line;
  std::getline(file, line);
  return line;
}

RunningInstance CompareWorld::Start(Service service, const std::string& file,
                                    const std::string& yaml) {
  PostfixInstance* const postfix = service == Service::kStock ? &stock_ : &proxymux_;
  return RunningInstance(postfix, service, ServerPid(), file, yaml);
}

// That of the arrival; with very many clients one with which all are there in time.
double CompareWorld::ConnectRate(const Words& words) const {
  if (arrival_.connect_rate == 0) return 0;
  double clients = 0;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "-c" || words[i] == "--idle-clients") clients += std::stod(words[i + 1]);
  }
  return std::max(arrival_.connect_rate, clients / kConnectSeconds);
}

Words CompareWorld::BenchWords(const RunningInstance& running, const Trial& trial,
                               const Words& files, int warm_up_seconds, int seconds) const {
  const PostfixInstance& postfix = running.postfix();
  const int rows = trial.rows > 0 ? trial.rows : options_.rows;
  Words words = {harness::ProxymuxBinary(),
                 "bench",
                 "--json",
                 "--quiet",
                 "--socket",
                 postfix.SocketPath(),
                 "--key-pattern",
                 kKeys,
                 "--value-pattern",
                 kValues,
                 "--key-range",
                 "1-" + std::to_string(rows),
                 "--warm-up",
                 Seconds(warm_up_seconds),
                 "--duration",
                 Seconds(seconds),
                 "--connect-rate",
                 std::to_string(ConnectRate(trial.words)),
                 "--cpu-of",
                 "postgres=" + ServerPid(),
                 "--cpu-of",
                 "postfix=" + std::to_string(postfix.MasterPid())};
  for (const std::string& file : files) {
    words.insert(words.end(), {"--table", postfix.Table(file)});
  }
  if (!running.is_stock()) {
    for (const pid_t pid : postfix.Pids("proxymux")) {
      words.insert(words.end(), {"--cpu-of", "service=" + std::to_string(pid)});
    }
  }
  words.insert(words.end(), trial.words.begin(), trial.words.end());
  return words;
}

void CompareWorld::ServeBefore(const RunningInstance& running, const Trial& trial,
                               const Words& files) const {
  if (arrival_.served_before) RunToEnd(BenchWords(running, trial, files, 0, 1));
}

Sample CompareWorld::RunBench(const RunningInstance& running, const Words& words) {
  SessionWatch watch(ServerPid(), harness::kMailRole);
  Sample sample = SampleOf(RunToEnd(words));
  sample.connections = watch.Most();
  sample.processes = static_cast<double>(running.postfix().Pids("proxymap").size());
  return sample;
}

Sample CompareWorld::Measure(const Trial& trial) {
  Words files;
  for (int i = 0; i < trial.tables; ++i) files.push_back(FileName(i));
  const auto& further = options_.further_rows;
  if (std::find(further.begin(), further.end(), trial.rows) != further.end()) {
    files = {FileOfRows(trial.rows)};
  }
  if (trial.through_pgpool) {
    pgpool_.Start();
    files = {kPgpoolFile};
  }
  const RunningInstance running = Start(trial.service, files[0], trial.settings);
  if (trial.known > 0) {
    Words known;
    for (int i = 0; i < trial.known; ++i) known.push_back(FileName(i));
    RunToEnd(BenchWords(running, trial, known, 0, 1));
  }
  ServeBefore(running, trial, files);
  return RunBench(running,
                  BenchWords(running, trial, files, options_.warm_up_seconds, options_.seconds));
}

std::vector<Sample> CompareWorld::MeasureWithIdle(int idle) {
  const Words files = {FileName(0)};
  Trial trial;
  trial.service = Service::kInPlace;
  trial.words = {"-c", "200"};
  const RunningInstance running = Start(trial.service, files[0], "");
  std::vector<Sample> samples;
  const auto run = [&] {
    samples.push_back(RunBench(
        running, BenchWords(running, trial, files, options_.warm_up_seconds, options_.seconds)));
  };
  ServeBefore(running, trial, files);
  run();
  trial.words.insert(trial.words.end(), {"--idle-clients", std::to_string(idle)});
  run();
  return samples;
}

Sample CompareWorld::MeasureBare(int clients) {
  const std::string socket = directory_ / "bare";
  const BareServer server(socket);
  const Words words = {"-c", std::to_string(clients)};
  return SampleOf(RunToEnd({harness::ProxymuxBinary(),
                            "bench",
                            "--json",
                            "--quiet",
                            "--socket",
                            socket,
                            "--table",
                            "pgsql:bare",
                            "--dialect",
                            "legacy",
                            "--key-pattern",
                            kKeys,
                            "--key-range",
                            "1-" + std::to_string(options_.rows),
                            "--warm-up",
                            Seconds(options_.warm_up_seconds),
                            "--duration",
                            Seconds(options_.seconds),
                            "--connect-rate",
                            std::to_string(ConnectRate(words)),
                            "-c",
                            words[1]}));
}

FairnessSample CompareWorld::MeasureFairness(Service service) {
  Trial trial;
  trial.service = service;
  trial.words = {"-c", "100"};
  FairnessSample sample;
  sample.alone = Measure(trial);

  const Words files = {FileName(0)};
  const RunningInstance running = Start(service, files[0], "");
  Trial slow = trial;
  // Its answers may be on their way for long when its time is over.
  slow.words = {"-c", "50", "--timeout", "60s"};
  const int warm_up = options_.warm_up_seconds + 1;  // also until the other's clients are there
  const int seconds = std::max(options_.seconds, kFairnessSeconds);
  ServeBefore(running, trial, files);
  const std::string output = directory_ / "slow.json";
  std::remove(output.c_str());
  CommandOptions options;
  harness::ChildProcess process(BenchWords(running, slow, {kSlowFile}, warm_up, seconds), output,
                                options);
  sample.together = RunBench(running, BenchWords(running, trial, files, warm_up, seconds));
  if (process.Wait(harness::seconds(90)) != 0) {
    throw std::runtime_error("proxymux bench on the slow table: " + harness::ReadFile(output));
  }
  sample.slow = SampleOf(harness::ReadFile(output));
  return sample;
}

}  // namespace proxymux::bench
