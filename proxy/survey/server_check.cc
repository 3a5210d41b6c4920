#include "proxy/survey/server_check.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include "pgsql/connection/silent_addresses.h"
#include "pgsql/libpq/pg_connector.h"
#include "proxy/survey/host_findings.h"
#include "proxy/survey/host_interview.h"
#include "proxy/survey/session_limits.h"

namespace proxymux::proxy {
namespace {

// A host, and what came of connecting to it.
struct Target {
  PoolHost host;
  std::unique_ptr<pgsql::PgConnector> connector{};
  pgsql::PgConnectionHandle connection{};  // null: not reached
  pgsql::ConnectionFault fault{};
};

std::vector<Target> TargetsOf(const std::vector<CheckedTable>& tables) {
  std::vector<Target> targets;
  for (const CheckedTable& table : tables) {
    for (const pgsql::ConnectPlan& plan : table.plans) {
      const auto known = std::ranges::find_if(targets, [&](const Target& target) {
        return &target.host.pool() == table.loaded.pool.get() && *target.host.plan == plan;
      });
      if (known != targets.end()) {
        known->host.tables.push_back(&table);
      } else {
        targets.push_back({{&plan, {&table}}});
      }
    }
  }
  return targets;
}

void Connect(std::vector<Target>* targets, UvEventLoop* loop) {
  pgsql::SilentAddresses silent;
  std::size_t left = targets->size();
  if (left == 0) return;
  for (Target& target : *targets) {
    const auto done = [&](pgsql::PgConnectionHandle connection,
                          const pgsql::ConnectionFault& fault) {
      target.connection = std::move(connection);
      target.fault = fault;
      if (--left == 0) loop->Stop();
    };
    target.connector = std::make_unique<pgsql::PgConnector>(
        *target.host.plan, target.host.pool().settings().connect_timeout, &silent, loop, done);
  }
  loop->Run();
  for (Target& target : *targets) target.connector.reset();
}

std::vector<Interview> AskAll(std::vector<Target>* targets) {
  std::vector<Interview> interviews(targets->size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < targets->size(); ++i) {
    Target& target = (*targets)[i];
    if (target.connection == nullptr) {
      interviews[i] = Unreached(target.host, target.fault);
      continue;
    }
    threads.emplace_back([&target, &interview = interviews[i]] {
      interview = AskHost(target.host, std::move(target.connection));
    });
  }
  threads.clear();  // waits for them
  return interviews;
}

// What the hosts say that got as far as the table's query.
std::vector<HostFindings> FindingsOf(const CheckedTable& table, const std::vector<Target>& targets,
                                     const std::vector<Interview>& interviews) {
  std::vector<HostFindings> hosts;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& asked = targets[i].host.tables;
    const auto at = static_cast<std::size_t>(std::ranges::find(asked, &table) - asked.begin());
    if (at < interviews[i].statements.size()) {
      hosts.push_back({interviews[i].server.host, interviews[i].statements[at]});
    }
  }
  return hosts;
}

}  // namespace

std::vector<CheckedServer> CheckServers(const std::vector<CheckedTable>& tables,
                                        int stock_processes, UvEventLoop* loop,
                                        Findings* findings) {
  std::vector<Target> targets = TargetsOf(tables);
  Connect(&targets, loop);
  const std::vector<Interview> interviews = AskAll(&targets);
  std::vector<CheckedServer> servers;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    findings->Add(interviews[i].said);
    CheckedServer& server = servers.emplace_back(interviews[i].server);
    // A process of stock's has a connection for each table.
    server.stock = static_cast<long long>(stock_processes) *
                   static_cast<long long>(targets[i].host.tables.size());
  }
  for (const CheckedTable& table : tables) {
    findings->Add(MergeFindings(FindingsOf(table, targets, interviews)));
  }
  findings->Add(CheckSessionLimits(servers));
  return servers;
}

}  // namespace proxymux::proxy
