// Lookups through a real Pgpool-II between the service and PostgreSQL: the answers are those of the
// server behind it, whichever protocol is the better one there.
#include "tests/harness/pgpool.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::LoadClients;
using harness::LoadReport;
using harness::Pgpool;
using harness::PostfixInstance;
using protocol::Status;

class BehindPgpool : public testing::TestWithParam<const char*> {
 protected:
  BehindPgpool() : pgpool_(world_.NewDirectory(), world_.first().port(), Mode(GetParam())) {
    pgpool_.Start();
    auto options = world_.Options(harness::Service::kInPlace);
    options.tables = harness::MailTables(pgpool_.TcpHost());
    postfix_ = std::make_unique<PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
  }
  static Pgpool::Options Mode(const std::string& clustering_mode) {
    Pgpool::Options options;
    options.clustering_mode = clustering_mode;
    return options;
  }

  MailWorld& world_ = MailWorld::Instance();
  Pgpool pgpool_;
  std::unique_ptr<PostfixInstance> postfix_;
};

TEST_P(BehindPgpool, ManyClientsAreAnswered) {
  LoadClients load(harness::LoadOn(*postfix_, 50));
  ASSERT_TRUE(load.WaitForAnswers(5000, harness::seconds(60))) << postfix_->Log();
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << postfix_->Log();
  EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
}

// For so long that each protocol has been tried.
TEST_P(BehindPgpool, OneClientIsAnsweredByEitherProtocol) {
  harness::ProxymapClient client(postfix_->SocketPath());
  for (int i = 0; i < 600; ++i) {
    const auto lookup = harness::LookupIn("pgsql-aliases.cf", 1 + i % 900);
    const harness::Answer answer = client.Lookup(postfix_->Table("pgsql-aliases.cf"), lookup.key);
    ASSERT_EQ(answer.status, Status::kOk) << i << postfix_->Log();
    ASSERT_EQ(answer.value, lookup.value) << i;
  }
  const harness::Answer none = client.Lookup(postfix_->Table("pgsql-aliases.cf"), "nobody@x");
  EXPECT_EQ(none.status, Status::kNoKey);
  EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
}

INSTANTIATE_TEST_SUITE_P(Modes, BehindPgpool, testing::Values("streaming_replication", "raw"));

}  // namespace
}  // namespace proxymux::integration
