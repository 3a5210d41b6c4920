// Every row of the table of error classes that a statement meets, raised on a real server: what
// becomes of the lookup, of the connection, of the host and of the neighbours.
#include "pgsql/host/error_class.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>

#include "tests/harness/host_status.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/error_cases.h"
#include "tests/integration/error_world.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using harness::HostStatus;
using harness::ProxymapClient;
using harness::TableText;
using pgsql::ErrorRule;
using protocol::Status;

constexpr char kCalm[] = "calm";

bool IsPartOf(const std::set<std::string>& some, const std::set<std::string>& all) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

class ErrorClasses : public ErrorWorld {
 protected:
  // Sessions of ours on either mirror.
  std::set<std::string> AllPids() {
    std::set<std::string> pids = Pids();
    for (const std::string& pid : PidsOn(world_.second())) pids.insert("second " + pid);
    return pids;
  }

  void ExpectAnswer(const ErrorCase& error, const harness::Answer& answer,
                    const std::string& about) {
    switch (error.becomes) {
      case Becomes::kRetry:
        EXPECT_TRUE(answer.Is(Status::kRetry)) << about << Describe(answer);
        return;
      case Becomes::kConfig:  // unless another mirror takes the statement, as here
      case Becomes::kElsewhere:
      case Becomes::kMoved:
        EXPECT_TRUE(answer.IsValue(kCalm)) << about << Describe(answer);
        return;
    }
  }

  // Nobody else asks meanwhile.
  void Raise(const ErrorCase& error, const std::string& key, const std::string& mode) {
    const std::string table = (error.writes ? "trouble_writing-" : "trouble-") + mode + ".cf";
    const std::string about = std::string(error.code) + " in " + table + ": ";
    ASSERT_TRUE(Look(table, kCalm).IsValue(kCalm)) << about << postfix_->Log();
    // A connection that is still being opened would be in none of the two.
    EXPECT_TRUE(Eventually([&] {
      return Pids().size() == static_cast<std::size_t>(First().connections);
    })) << about;
    const std::set<std::string> pids = AllPids();
    const HostStatus before = First();
    const int logged = Logged(error.code);
    ExpectAnswer(error, Look(table, key), about);
    EXPECT_TRUE(Eventually([&] { return Logged(error.code) > logged; }))
        << about << "the server did not say that";
    if (error.becomes == Becomes::kMoved) {
      EXPECT_TRUE(Eventually([&] { return !IsPartOf(pids, AllPids()); }))
          << about << testing::PrintToString(pids);
    }
    // The host goes on, and so does the connection unless that was to go.
    EXPECT_TRUE(Look(table, kCalm).IsValue(kCalm)) << about;
    EXPECT_EQ(First().state, "up") << about << First().reason;
    if (error.becomes != Becomes::kMoved) {
      // None ended; there may be one more, for a statement that is sent again.
      const HostStatus after = First();
      EXPECT_EQ(after.connections - before.connections, after.connects - before.connects) << about;
      EXPECT_TRUE(IsPartOf(pids, AllPids())) << about << testing::PrintToString(pids);
    }
  }
};

TEST_F(ErrorClasses, EveryRuleIsRaised) {
  std::size_t count = 0;
  const ErrorRule* rules = pgsql::ErrorRules(&count);
  for (std::size_t i = 0; i < count; ++i) {
    const bool raised =
        std::any_of(ErrorCases().begin(), ErrorCases().end(), [&](const ErrorCase& error) {
          // A class is raised by a code that has no rule of its own.
          const ErrorRule* first = std::find_if(rules, rules + count, [&](const ErrorRule& rule) {
            return error.code.starts_with(rule.code);
          });
          return first == &rules[i] && error.rule == rules[i].code;
        });
    EXPECT_TRUE(raised) << rules[i].code << " is raised by no case";
  }
}

// What the cases expect is written down beside them; here it is held against the rule.
TEST_F(ErrorClasses, EveryCaseExpectsWhatItsRuleSays) {
  for (const ErrorCase& error : ErrorCases()) {
    const bool ends = error.statement.find("pg_terminate_backend") != std::string::npos;
    if (ends) continue;  // FATAL: more than an ERROR of that code
    const auto verdict = pgsql::ClassifyError({error.code, false, pgsql::ErrorStage::kText});
    EXPECT_EQ(error.becomes, BecomesOf(verdict.fault)) << error.code << ": " << verdict.reason;
  }
}

TEST_F(ErrorClasses, EachCostsWhatItMustWhateverTheStatementMode) {
  // The functions may do anything, so each table has connections of its own: none is to be closed
  // for another one's sake.
  Start("pool: {connections: 20}\n");
  ASSERT_TRUE(Answers(1)) << postfix_->Log();
  for (const char* mode : {"legacy", "parameterized", "prepared"}) {
    for (std::size_t i = 0; i < ErrorCases().size(); ++i) {
      Raise(ErrorCases()[i], std::to_string(i), mode);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_EQ(First().state, "up");
}

// The same errors, in batches with other tables' lookups.
TEST_F(ErrorClasses, NoneOfThemDisturbsTheNeighbours) {
  Start();
  harness::LoadClients load(harness::LoadOn(*postfix_));
  ASSERT_TRUE(load.WaitForAnswers(2000)) << postfix_->Log();
  for (std::size_t i = 0; i < ErrorCases().size(); ++i) {
    const ErrorCase& error = ErrorCases()[i];
    const std::string table = error.writes ? "trouble_writing-prepared.cf" : "trouble-prepared.cf";
    for (int times = 0; times < 3; ++times) {
      ExpectAnswer(error, Look(table, std::to_string(i)), std::string(error.code) + ": ");
    }
    ASSERT_TRUE(load.WaitForAnswers(100)) << error.code << postfix_->Log();
    EXPECT_EQ(First().state, "up") << error.code << ": " << First().reason;
  }
  const harness::LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text() << postfix_->Log();
}

// 26000: the statement itself drops those of its session, of which it is one.
TEST_F(ErrorClasses, AStatementThatVanishedIsAskedAgain) {
  world_.first().Sql(harness::kMailDatabase,
                     "CREATE FUNCTION forget(word text) RETURNS text LANGUAGE plpgsql AS $$"
                     " BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN word; END $$");
  Start("pool: {connections: 1}\n",
        {{"forget.cf", TableText(Hosts(), "SELECT forget('%s')", "statement_mode = prepared\n")}});
  ASSERT_TRUE(Answers(1)) << postfix_->Log();
  const int logged = Logged("26000");
  // Two of them within the second for which a statement is used.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(Look("forget.cf", "gone").IsValue("gone")) << postfix_->Log();
    return Logged("26000") > logged;
  }));
  EXPECT_TRUE(Look("forget.cf", "again").IsValue("again")) << postfix_->Log();
  EXPECT_EQ(First().connects, 1);
  EXPECT_TRUE(Answers(4));
  EXPECT_EQ(First().connects, 2);  // what the function left behind is no other table's business
  EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
}

// 57014 without a request of ours.
TEST_F(ErrorClasses, AStatementTimeoutIsOneLookupsOwn) {
  const std::string role = "ALTER ROLE " + std::string(harness::kMailRole);
  world_.first().Sql("postgres", role + " SET statement_timeout = '200ms'");
  Start("", {{"slow.cf", TableText(Hosts(), "SELECT '%s' FROM pg_sleep(20)")}});
  ASSERT_TRUE(Answers(1)) << postfix_->Log();
  const int logged = Logged("57014");
  const harness::Answer slow = Look("slow.cf", "x");
  EXPECT_TRUE(slow.Is(Status::kRetry)) << Describe(slow);
  EXPECT_TRUE(Eventually([&] { return Logged("57014") > logged; }));
  EXPECT_TRUE(Answers(2));
  EXPECT_EQ(First().state, "up");
  EXPECT_EQ(HostStatusOf(*postfix_, world_.second().TcpHost()).connects, 0);
  EXPECT_TRUE(postfix_->WaitForLog("statement timeout")) << postfix_->Log();
  world_.first().Sql("postgres", role + " RESET statement_timeout");
}

// 57P05: nobody is to blame, so nobody is told.
TEST_F(ErrorClasses, ASessionThatWasIdleForTooLongIsReplacedInSilence) {
  const std::string role = "ALTER ROLE " + std::string(harness::kMailRole);
  world_.first().Sql("postgres", role + " SET idle_session_timeout = '300ms'");
  Start();
  const int logged = Logged("57P05");
  ASSERT_TRUE(Answers(1)) << postfix_->Log();
  EXPECT_TRUE(Eventually([&] { return Logged("57P05") > logged && First().connections == 0; }));
  EXPECT_TRUE(Answers(2));
  EXPECT_EQ(First().state, "up");
  EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
  world_.first().Sql("postgres", role + " RESET idle_session_timeout");
}

// 40P01: each of two lookups holds what the other one waits for.
TEST_F(ErrorClasses, ADeadlockIsAnsweredElsewhere) {
  for (auto* mirror : {&world_.first(), &world_.second()}) {
    const std::string meet =
        mirror == &world_.first()
            ? "PERFORM pg_advisory_xact_lock(mine); WHILE clock_timestamp() < latest AND NOT EXISTS"
              " (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 3 - mine AND granted)"
              " LOOP PERFORM pg_sleep(0.01); END LOOP; PERFORM pg_advisory_xact_lock(3 - mine);"
            : "";
    mirror->Sql(harness::kMailDatabase,
                "CREATE FUNCTION embrace(mine integer) RETURNS text LANGUAGE plpgsql AS $$"
                " DECLARE latest timestamptz := clock_timestamp() + '5 s'; BEGIN " +
                    meet + " RETURN 'calm'; END $$");
  }
  Start("", {{"embrace.cf", TableText(Hosts(), "SELECT embrace('%s')")}});
  ASSERT_TRUE(Answers(1)) << postfix_->Log();
  const int logged = Logged("40P01");
  ProxymapClient other(postfix_->SocketPath());
  const std::string table = postfix_->Table("embrace.cf");
  ASSERT_TRUE(client_->Send(
      protocol::LookupRequest{table, harness::kPostmapFlags, harness::kPostmapFlags, "1"}));
  ASSERT_TRUE(other.Send(
      protocol::LookupRequest{table, harness::kPostmapFlags, harness::kPostmapFlags, "2"}));
  for (ProxymapClient* one : {client_.get(), &other}) {
    const harness::Answer answer = one->Receive(protocol::RequestKind::kLookup);
    EXPECT_TRUE(answer.IsValue(kCalm)) << Describe(answer) << postfix_->Log();
  }
  EXPECT_TRUE(Eventually([&] { return Logged("40P01") > logged; }));
  EXPECT_EQ(First().state, "up");
}

}  // namespace
}  // namespace proxymux::integration
