#include "proxy/survey/host_interview.h"

#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "pgsql/host/replica_state.h"
#include "pgsql/inquiry/pg_inquiry.h"
#include "proxy/survey/connect_advice.h"
#include "proxy/survey/statement_check.h"

namespace proxymux::proxy {
namespace {

using config::Diagnostic;
using config::Severity;
using pgsql::PgInquiry;

// For one answer; longer than statement_timeout of the statements that are tried.
constexpr std::chrono::milliseconds kPatience{8000};
// For all of them.
constexpr std::chrono::seconds kLongest{20};

using Verified = CheckedServer::Verified;

Verified WhatIsVerified(const pgsql::ConnectPlan& plan) {
  const std::string mode = plan.Parameter("sslmode");
  const std::string root = plan.Parameter("sslrootcert");
  if (mode == "verify-full" || root == "system") return Verified::kCertificateAndName;
  if (mode == "verify-ca") return Verified::kCertificate;
  // With such a file libpq verifies whatever the mode; without it, it does not say so.
  const bool has_root = !root.empty() && access(root.c_str(), R_OK) == 0;
  return has_root ? Verified::kCertificate : Verified::kNothing;
}

CheckedServer Described(const PoolHost& host) {
  CheckedServer server;
  server.host = host.plan->label;
  server.pool = host.pool().name();
  server.file = host.tables.front()->file();
  server.line = host.tables.front()->LineOf(*host.plan, "hosts");
  server.proxymux = host.pool().settings().connections;
  return server;
}

class HostInterview {
 public:
  HostInterview(const PoolHost& host, pgsql::PgConnectionHandle connection)
      : host_(host),
        inquiry_(std::move(connection), kPatience, PgInquiry::Clock::now() + kLongest) {
    interview_.server = Described(host);
  }

  Interview Run() {
    CheckedServer& server = interview_.server;
    server.address = inquiry_.Address();
    server.place = inquiry_.Place();
    server.tls = inquiry_.TlsVersion();
    if (!server.tls.empty()) server.verified = WhatIsVerified(*host_.plan);
    AskFacts();
    if (server.facts.has_value()) {
      server.pooler = server.facts->backend != inquiry_.FirstBackend();
      AskReplica();
      AskTables();
    }
    if (inquiry_.lost()) TellLost();
    return std::move(interview_);
  }

 private:
  void Say(Severity severity, std::string text, std::string hint) {
    const CheckedServer& server = interview_.server;
    interview_.said.push_back({server.file, server.line, 0, severity,
                               "host " + server.host + " (pool " + server.pool + ") " + text,
                               std::move(hint)});
  }

  void AskFacts() {
    const PgInquiry::Answer answer = inquiry_.Ask(pgsql::ServerFactsSql());
    std::string why = "its answer is not understood";
    if (const auto* fault = std::get_if<PgInquiry::Fault>(&answer)) {
      why = fault->message;
    } else if (const auto& rows = std::get<0>(answer); rows.size() == 1) {
      interview_.server.facts = pgsql::ParseServerFacts(rows.front());
    }
    if (interview_.server.facts.has_value() || inquiry_.lost()) return;
    interview_.server.fault = "it does not tell about itself: " + why;
    Say(Severity::kWarning, "does not tell about itself: " + why, "is it PostgreSQL 10 or later?");
  }

  void AskReplica() {
    const PgInquiry::Answer answer = inquiry_.Ask(pgsql::ReplicaStateSql());
    const auto* rows = std::get_if<0>(&answer);
    if (rows == nullptr || rows->size() != 1 || !rows->front()[0].has_value()) return;
    const auto state = pgsql::ParseReplicaState(*rows->front()[0]);
    if (!state.has_value() || !state->standby) return;
    if (state->age.has_value()) {
      interview_.server.latest_change =
          std::chrono::duration_cast<std::chrono::milliseconds>(*state->age);
    }
    if (state->receiving) return;
    Say(Severity::kWarning,
        "is a standby that receives nothing from its primary just now: its answers may grow old",
        "unless it restores from an archive, see its log, and pg_stat_wal_receiver there");
  }

  void AskTables() {
    for (const CheckedTable* table : host_.tables) {
      if (inquiry_.lost()) break;
      interview_.statements.push_back(CheckStatement(*table, *interview_.server.facts, &inquiry_));
    }
  }

  void TellLost() {
    interview_.server.fault = inquiry_.WhyLost();
    Say(Severity::kError,
        "was connected to, but did not answer all that it was asked: " + interview_.server.fault,
        "is it overloaded, or a pooler without a server behind it? see its log");
  }

  const PoolHost& host_;
  PgInquiry inquiry_;
  Interview interview_;
};

}  // namespace

Interview Unreached(const PoolHost& host, const pgsql::ConnectionFault& fault) {
  Interview interview;
  interview.server = Described(host);
  interview.server.fault = fault.text;
  const ConnectAdvice advice = AdviceFor(fault);
  for (const CheckedTable* table : host.tables) {
    interview.said.push_back(
        {table->file(), table->LineOf(*host.plan, advice.setting), 0, Severity::kError,
         "host " + interview.server.host + " (pool " + interview.server.pool + "): " + fault.text,
         std::string(advice.hint)});
  }
  return interview;
}

Interview AskHost(const PoolHost& host, pgsql::PgConnectionHandle connection) {
  return HostInterview(host, std::move(connection)).Run();
}

}  // namespace proxymux::proxy
