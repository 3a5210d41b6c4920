// What the figures of a comparison are held against: the database on its own, and the machine.
#include <sys/utsname.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/bench/compare_world.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/process.h"

namespace proxymux::bench {
namespace {

using harness::CommandOptions;

constexpr int kPipeline = 50;

}  // namespace

double CompareWorld::PgbenchQueriesPerSecond() {
  std::ostringstream script;
  script << "\\startpipeline\n";
  for (int i = 0; i < kPipeline; ++i) {
    script << "\\set n random(1, " << options_.rows << ")\n"
           << "SELECT goto FROM alias WHERE address = 'user' || :n || '@example.com';\n";
  }
  script << "\\endpipeline\n";
  const std::string file = directory_ / "pipeline.sql";
  harness::WriteFile(file, script.str());
  CommandOptions options;
  options.limit = harness::seconds(300);
  options.environment["PGPASSWORD"] = harness::kMailPassword;
  const std::string out = harness::RunOrThrow(
      {"pgbench", "--no-vacuum", "--protocol=prepared", "--client=4", "--jobs=1",
       "--time=" + std::to_string(options_.seconds), "--file=" + file, "--host=127.0.0.1",
       "--port=" + std::to_string(server_.port()), "--username=" + std::string(harness::kMailRole),
       harness::kMailDatabase},
      options);
  const std::size_t at = out.find("tps = ");
  if (at == std::string::npos) throw std::runtime_error("pgbench says: " + out);
  return std::stod(out.substr(at + 6)) * kPipeline;
}

std::string CompareWorld::Describe() const {
  utsname system{};
  ::uname(&system);
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string model = system.machine;
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    model = line.substr(std::min(line.find(": ") + 2, line.size()));
    break;
  }
  std::string version = harness::RunOrThrow({"pgbench", "--version"});  // pgbench (PostgreSQL) 15.1
  version = version.substr(std::min(version.find(')') + 2, version.size()));
  version = version.substr(0, version.find_first_of(" \n"));
  std::string postfix =
      harness::RunOrThrow({"postconf", "-c", stock_.config_directory(), "-h", "mail_version"});
  postfix.resize(postfix.find('\n'));
  std::string release = system.release;
  release = release.substr(0, release.find('-'));
  return std::to_string(std::thread::hardware_concurrency()) + " processors (" + model + "), " +
         system.sysname + " " + release + ", PostgreSQL " + version + ", Postfix " + postfix;
}

}  // namespace proxymux::bench
