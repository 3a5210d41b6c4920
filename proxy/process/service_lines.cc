#include "proxy/process/service_lines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>  // join, from fmt 11 on
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>

#include "proxy/process/master_arguments.h"

namespace proxymux::proxy {
namespace {

using config::Diagnostic;
using config::MasterCf;
using config::MasterService;
using config::Severity;

constexpr char kProgram[] = "proxymux";
constexpr char kStockService[] = "proxymap";
constexpr char kUnix[] = "unix";

bool IsOurs(const MasterService& service) {
  return service.command.substr(service.command.rfind('/') + 1) == kProgram;
}

bool InForce(const MasterCf& master_cf, const MasterService& service) {
  return master_cf.InForce(service.name, service.type) == &service;
}

// Nothing when the line counts.
std::optional<Diagnostic> PushedAside(const MasterCf& master_cf, const MasterService& service) {
  const MasterService* last = master_cf.InForce(service.name, service.type);
  if (last == &service) return std::nullopt;
  const bool ours_is_lost = IsOurs(service) && !IsOurs(*last);
  Diagnostic diagnostic;
  diagnostic.file = master_cf.file;
  diagnostic.line = service.line;
  diagnostic.severity = ours_is_lost ? Severity::kError : Severity::kWarning;
  diagnostic.text = fmt::format(
      "the service {} ({}) is defined again in line {}: master(8) takes the last line, which runs "
      "{}, and this one, {}, has no effect",
      service.name, service.type, last->line, last->command, service.command);
  diagnostic.hint = fmt::format("remove line {}", ours_is_lost ? last->line : service.line);
  if (ours_is_lost && service.name == kStockService) {
    diagnostic.hint +=
        ", which `postfix upgrade-configuration` adds unless this one ends in: proxymux -o "
        "proxymap_service_name=proxymap";
  }
  return diagnostic;
}

// What is wrong with the fields of a line of ours.
std::vector<Diagnostic> WrongFields(const MasterCf& master_cf, const MasterService& service,
                                    bool chroot_by_default) {
  std::vector<Diagnostic> found;
  const auto tell = [&](Severity severity, std::string text, std::string hint) {
    found.push_back({master_cf.file, service.line, 0, severity,
                     fmt::format("the service {}: {}", service.name, text), std::move(hint)});
  };
  if (service.type != kUnix) {
    tell(Severity::kError,
         fmt::format("its type is {}, and the program serves UNIX-domain sockets only",
                     service.type),
         "write unix in the second field");
  }
  if (service.private_ == "n") {
    tell(Severity::kError, "its socket is in public/, and Postfix's clients look in private/",
         "write - in the third field");
  }
  if (service.unprivileged == "n") {
    tell(Severity::kWarning, "it would keep the rights of root", "write - in the fourth field");
  }
  if (service.chroot == "y" || (service.chroot == "-" && chroot_by_default)) {
    tell(Severity::kError,
         "it would run in a chroot, where neither table files nor the sockets of databases are: it "
         "does not start",
         "write n in the fifth field");
  }
  if (service.process_limit != "1") {
    tell(Severity::kWarning,
         fmt::format("its process limit is {}: one process serves all clients",
                     service.process_limit == "-" ? "the default" : service.process_limit),
         "write 1 in the seventh field");
  }
  if (const auto problem = ServiceNameProblem(service.name)) {
    tell(Severity::kError, *problem, "");
  }
  return found;
}

}  // namespace

std::vector<const MasterService*> OurServices(const MasterCf& master_cf) {
  std::vector<const MasterService*> services;
  for (const MasterService& service : master_cf.services) {
    if (IsOurs(service) && InForce(master_cf, service)) services.push_back(&service);
  }
  return services;
}

std::vector<Diagnostic> CheckServiceLines(const MasterCf& master_cf, bool chroot_by_default) {
  std::vector<Diagnostic> found;
  for (const MasterService& service : master_cf.services) {
    if (auto diagnostic = PushedAside(master_cf, service)) {
      found.push_back(std::move(*diagnostic));
      continue;
    }
    if (IsOurs(service)) {
      for (Diagnostic& diagnostic : WrongFields(master_cf, service, chroot_by_default)) {
        found.push_back(std::move(diagnostic));
      }
    }
    if (!IsOurs(service) || service.name != kStockService || service.type != kUnix ||
        master_cf.names_stock_proxymap) {
      continue;
    }
    found.push_back({master_cf.file, service.line, 0, Severity::kWarning,
                     "`postfix upgrade-configuration` does not know this line for the service "
                     "proxymap: it will add stock's, and master(8) takes the last one",
                     "write, in one line: proxymap unix - - n - 1 proxymux -o "
                     "proxymap_service_name=proxymap"});
  }
  return found;
}

MasterState LookForMaster(const std::string& queue_directory) {
  struct stat lock {};
  if (stat((queue_directory + "/pid/master.pid").c_str(), &lock) != 0) {
    return errno == ENOENT ? MasterState::kDoesNotRun : MasterState::kUnknown;
  }
  std::ifstream locks("/proc/locks");
  if (!locks) return MasterState::kUnknown;
  // "1: FLOCK  ADVISORY  WRITE 4711 fd:01:131299 0 EOF"
  const std::string inode = ":" + std::to_string(lock.st_ino) + " 0 EOF";
  for (std::string line; std::getline(locks, line);) {
    if (line.ends_with(inode)) return MasterState::kRuns;
  }
  return MasterState::kDoesNotRun;
}

std::string WhyNobodyListens(const MasterCf& master_cf, const std::string& wanted,
                             MasterState master) {
  std::vector<std::string> names;
  for (const MasterService* service : OurServices(master_cf)) names.push_back(service->name);
  if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) != names.end()) {
    names = {wanted};
  } else if (!wanted.empty()) {
    names.clear();
  }
  if (names.empty()) {
    for (const MasterService& service : master_cf.services) {
      if (!IsOurs(service) || (!wanted.empty() && service.name != wanted)) continue;
      if (const auto diagnostic = PushedAside(master_cf, service)) return diagnostic->ToString();
    }
    return fmt::format("no service{} in {} runs proxymux", wanted.empty() ? "" : " named " + wanted,
                       master_cf.file);
  }
  const std::string service = fmt::format(
      "{} {}", names.size() == 1 ? "the service" : "each of the services", fmt::join(names, ", "));
  switch (master) {
    case MasterState::kRuns:
      return fmt::format(
          "{} starts with the first lookup, and there was none yet (or the log says why it has no "
          "admin listener)",
          service);
    case MasterState::kDoesNotRun:
      return fmt::format("Postfix does not run; when it does, {} starts with the first lookup",
                         service);
    case MasterState::kUnknown:
      return fmt::format("{} starts with the first lookup, if Postfix runs", service);
  }
  return "";
}

}  // namespace proxymux::proxy
