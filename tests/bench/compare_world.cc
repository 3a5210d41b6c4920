#include "tests/bench/compare_world.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/harness/mail_schema.h"
#include "tests/harness/process.h"

namespace proxymux::bench {
namespace {

using harness::CommandOptions;
using harness::PostfixInstance;
using harness::RunCommand;
using harness::Service;
using nlohmann::json;

constexpr char kKeys[] = "user%d@example.com";
constexpr char kValues[] = "box%d@store.example.net";
constexpr int kPipeline = 50;

harness::PostgresCluster::Options ServerOptions() {
  harness::PostgresCluster::Options options;
  options.settings = {"shared_buffers = 512MB"};
  return options;
}

std::string TableName(int number) { return "alias" + std::to_string(number) + ".cf"; }

struct ServerProcesses {
  int sessions = 0;  // of clients, beginning and ending ones too
  int others = 1;    // the server's own, the first one too
};

// By their titles: `postgres: mailreader mail 127.0.0.1(40000) idle`, `postgres: checkpointer`.
ServerProcesses CountSessions(const std::string& server) {
  ServerProcesses count;
  for (const auto& child : harness::ChildrenOf(static_cast<pid_t>(std::stol(server)))) {
    const std::string title = harness::ReadFile("/proc/" + std::to_string(child.pid) + "/cmdline");
    bool own = false;
    for (const char* name : {"checkpointer", "background writer", "walwriter", "launcher"}) {
      own = own || title.find(name) != std::string::npos;
    }
    ++(own ? count.others : count.sessions);
  }
  return count;
}

}  // namespace

CompareWorld::CompareWorld(int rows)
    : rows_(rows),
      server_(directory_ / "pg", ServerOptions()),
      stock_(directory_ / "stock", Options(Service::kStock)),
      proxymux_(directory_ / "mux", Options(Service::kInPlace)) {
  server_.Start();
  const std::string role = harness::kMailRole;
  server_.Sql("postgres",
              "CREATE ROLE " + role + " LOGIN PASSWORD '" + harness::kMailPassword + "'");
  server_.Sql("postgres", "CREATE DATABASE " + std::string(harness::kMailDatabase));
  server_.Sql(harness::kMailDatabase, R"(
    CREATE TABLE alias (address text PRIMARY KEY, goto text NOT NULL);
    INSERT INTO alias SELECT 'user' || n || '@example.com', 'box' || n || '@store.example.net'
      FROM generate_series(1, )" + std::to_string(rows) +
                                          R"() n;
    GRANT SELECT ON alias TO )" + role);
  server_.Sql(harness::kMailDatabase, "VACUUM ANALYZE alias");
}

PostfixInstance::Options CompareWorld::Options(Service service) {
  PostfixInstance::Options options;
  options.service = service;
  if (service != Service::kStock) options.proxymux = harness::ProxymuxBinary();
  for (int i = 0; i < kTables; ++i) {
    options.tables.push_back(
        {TableName(i),
         harness::TableText(server_.TcpHost(), "SELECT goto FROM alias WHERE address = '%s'")});
  }
  return options;
}

std::string CompareWorld::ServerPid() const {
  std::ifstream file(server_.socket_directory() + "/data/postmaster.pid");
  std::string line;
  std::getline(file, line);
  return line;
}

Sample CompareWorld::RunBench(PostfixInstance& postfix, Service service,
                              const std::vector<std::string>& load, int tables) {
  std::vector<std::string> words = {harness::ProxymuxBinary(),
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
                                    "1-" + std::to_string(rows_),
                                    "--warm-up",
                                    "2s"};
  for (int i = 0; i < tables; ++i) {
    words.insert(words.end(), {"--table", postfix.Table(TableName(i))});
  }
  words.insert(words.end(), {"--cpu-of", "postgres=" + ServerPid(), "--cpu-of",
                             "postfix=" + std::to_string(postfix.MasterPid())});
  if (service != Service::kStock) {
    for (const pid_t pid : postfix.Pids("proxymux")) {
      words.insert(words.end(), {"--cpu-of", "service=" + std::to_string(pid)});
    }
  }
  words.insert(words.end(), load.begin(), load.end());
  CommandOptions options;
  options.limit = harness::seconds(600);
  const auto result = RunCommand(words, options);
  if (result.status != 0) {
    throw std::runtime_error("proxymux bench: status " + std::to_string(result.status) + "\n" +
                             result.err + result.out);
  }
  const json document = json::parse(result.out);
  Sample sample;
  sample.lookups_per_second = document["lookups_per_second"];
  sample.p50_ms = document["latency_ms"]["p50"];
  sample.p99_ms = document["latency_ms"]["p99"];
  sample.retry = document["counts"]["retry"];
  sample.connected = document["connections"]["connected"].get<double>() +
                     document["connections"]["idle_connected"].get<double>();
  for (const json& process : document["processes"]) {
    // Seen at the end of the measurement: a stock process ends soon after its clients.
    if (process["name"] == "postgres") sample.connections = process["processes"];
    sample.cpu_us += process["cpu_us_per_lookup"].get<double>();
    if (process["name"] == "service") {
      sample.resident_mib = process["resident_kib"].get<double>() / 1024;
    }
  }
  return sample;
}

std::vector<Sample> CompareWorld::Measure(Service service,
                                          const std::vector<std::vector<std::string>>& loads,
                                          int tables) {
  PostfixInstance& postfix = service == Service::kStock ? stock_ : proxymux_;
  // Sessions end a moment after their connections.
  if (!harness::Eventually([&] { return CountSessions(ServerPid()).sessions == 0; })) {
    throw std::runtime_error("sessions are left behind");
  }
  const double own_processes = CountSessions(ServerPid()).others;
  postfix.Start();
  const auto first = postfix.Postmap("user1@example.com", postfix.Table(TableName(0)));
  if (first.out != "box1@store.example.net\n") {
    throw std::runtime_error("the first lookup failed: " + first.out + first.err + postfix.Log());
  }
  std::vector<Sample> samples;
  for (const auto& load : loads) {
    samples.push_back(RunBench(postfix, service, load, tables));
    samples.back().connections -= own_processes;
  }
  postfix.Stop();
  return samples;
}

double CompareWorld::PgbenchQueriesPerSecond(int seconds) {
  std::ostringstream script;
  script << "\\startpipeline\n";
  for (int i = 0; i < kPipeline; ++i) {
    script << "\\set n random(1, " << rows_ << ")\n"
           << "SELECT goto FROM alias WHERE address = 'user' || :n || '@example.com';\n";
  }
  script << "\\endpipeline\n";
  const std::string file = directory_ / "pipeline.sql";
  harness::WriteFile(file, script.str());
  CommandOptions options;
  options.limit = harness::seconds(600);
  options.environment["PGPASSWORD"] = harness::kMailPassword;
  const std::string out =
      harness::RunOrThrow({"pgbench", "--no-vacuum", "--protocol=prepared", "--client=4",
                           "--jobs=1", "--time=" + std::to_string(seconds), "--file=" + file,
                           "--host=127.0.0.1", "--port=" + std::to_string(server_.port()),
                           "--username=" + std::string(harness::kMailRole), harness::kMailDatabase},
                          options);
  const std::size_t at = out.find("tps = ");
  if (at == std::string::npos) throw std::runtime_error("pgbench says: " + out);
  return std::stod(out.substr(at + 6)) * kPipeline;
}

std::string CompareWorld::Describe() const {
  utsname system{};
  ::uname(&system);
  std::ostringstream text;
  text << std::thread::hardware_concurrency() << " processors, " << system.sysname << " "
       << system.release << "; PostgreSQL "
       << harness::RunOrThrow({"pgbench", "--version"}).substr(21);
  std::string line = text.str();
  while (!line.empty() && line.back() == '\n') line.pop_back();
  line += "; Postfix " +
          harness::RunOrThrow({"postconf", "-c", stock_.config_directory(), "-h", "mail_version"});
  line.pop_back();
  return line;
}

}  // namespace proxymux::bench
