// Every error that refuses connections, raised on a real server: what becomes of the host, and of
// the lookups meanwhile.
#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>

#include "pgsql/host/error_class.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/integration/error_cases.h"
#include "tests/integration/error_world.h"
#include "tests/integration/table_status.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;

class ErrorClasses : public ErrorWorld {
 protected:
  // Nobody is told twice in a row that a host is out of use, for the same reason.
  void ExpectEachReasonOnce() {
    std::set<std::string> reasons;
    const std::string out = "is out of use: ";
    for (const std::string& line : postfix_->LogLinesWith({out})) {
      EXPECT_TRUE(reasons.insert(line.substr(line.find(out))).second) << line;
    }
    EXPECT_FALSE(reasons.empty()) << postfix_->Log();
  }
};

// Refused connections: the second mirror answers, the first is down for the server's own reason,
// says so once, and is used again by itself.
TEST_F(ErrorClasses, ARefusedConnectionTakesTheHostOutUntilItIsMended) {
  for (const RefusalCase& refusal : RefusalCases()) {
    Start();
    const std::string about = std::string(refusal.code) + ": ";
    ASSERT_TRUE(Answers(1)) << about << postfix_->Log();
    // Nothing is under way any more: what is lost would be asked again, while the host changes.
    EXPECT_TRUE(Eventually([&] { return TablesKnownToRead(postfix_->AdminSocket()) >= 1; }));
    const int logged = Logged(refusal.code);
    for (const std::string& statement : refusal.spoil) world_.first().Sql("postgres", statement);
    // Between two statements of the spoiling the host may have another reason for a while.
    EXPECT_TRUE(Eventually([&] {
      return Answers(2) && First().state == "down" &&
             First().reason.find(refusal.reason) != std::string::npos;
    })) << about
        << First().reason << postfix_->Log();
    for (int user = 1; user <= 100; ++user) EXPECT_TRUE(Answers(user)) << about << user;
    EXPECT_GT(Logged(refusal.code), logged) << about << "the server did not say that";
    EXPECT_FALSE(First().usable) << about;
    ExpectEachReasonOnce();
    EXPECT_EQ(postfix_->Log().find(harness::kMailPassword), std::string::npos) << about;

    for (const std::string& statement : refusal.mend) world_.first().Sql("postgres", statement);
    EXPECT_TRUE(Eventually([&] { return Answers(3) && First().state == "up"; }))
        << about << postfix_->Log();
    EXPECT_TRUE(postfix_->WaitForLog("is in use again after")) << about << postfix_->Log();
    client_.reset();
    postfix_.reset();
  }
}

TEST_F(ErrorClasses, EveryRefusalHasARule) {
  for (const RefusalCase& refusal : RefusalCases()) {
    const auto verdict = pgsql::ClassifyError({refusal.code, true, pgsql::ErrorStage::kConnect});
    const bool full = refusal.code == "53300";
    EXPECT_EQ(verdict.fault, full ? pgsql::Fault::kHostFull : pgsql::Fault::kHost) << refusal.code;
  }
}

// 53300 once connections are open: they are good for what they were.
TEST_F(ErrorClasses, AFullHostIsUsedOnItsOpenConnections) {
  Start();
  ASSERT_TRUE(Answers(1));
  // One that is still being opened would be in neither.
  std::set<std::string> pids;
  EXPECT_TRUE(Eventually([&] {
    pids = Pids();
    return pids.size() == static_cast<std::size_t>(First().connections);
  }));
  const std::string role = "ALTER ROLE " + std::string(harness::kMailRole) + " CONNECTION LIMIT ";
  world_.first().Sql("postgres", role + std::to_string(pids.size()));
  harness::LoadClients load(harness::LoadOn(*postfix_));  // asks for more connections
  EXPECT_TRUE(postfix_->WaitForLog("too many connections for role")) << postfix_->Log();
  EXPECT_TRUE(load.WaitForAnswers(5000)) << postfix_->Log();
  EXPECT_EQ(First().state, "down");
  EXPECT_TRUE(First().usable);
  // More are tried now and then; none stays.
  const int open = static_cast<int>(pids.size());
  EXPECT_TRUE(Eventually([&] { return First().connections == open; })) << First().connections;
  EXPECT_TRUE(Eventually([&] { return Pids() == pids; }));
  EXPECT_EQ(postfix_->LogLinesWith({"stay in use"}).size(), 1u) << postfix_->Log();
  world_.first().Sql("postgres", role + "-1");
  EXPECT_TRUE(Eventually([&] { return First().state == "up" && First().connections > open; }))
      << postfix_->Log();
  const harness::LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text() << postfix_->Log();
}

}  // namespace
}  // namespace proxymux::integration
