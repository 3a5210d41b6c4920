// What fails only when its transaction ends is no success.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::Service;
using protocol::Status;

class Commit : public testing::Test {
 protected:
  Commit() {
    world_.Mend();
    Sql("DROP TABLE IF EXISTS child, parent, fragile CASCADE;"
        "CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);"
        "CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TABLE fragile (id int);"
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'refused at the end'; END $$;"
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON fragile DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse();"
        "GRANT SELECT, INSERT ON child, parent, fragile TO mailreader");
    auto options = world_.Options(Service::kInPlace);
    const std::string host = world_.first().TcpHost();
    options.tables.clear();
    for (const char* mode : {"auto", "legacy", "prepared", "parameterized"}) {
      const std::string setting = std::string("statement_mode = ") + mode + "\n";
      options.tables.push_back(
          {std::string("child-") + mode + ".cf",
           harness::TableText(host, "INSERT INTO child VALUES ('%s') RETURNING 'ok'", setting)});
      options.tables.push_back(
          {std::string("fragile-") + mode + ".cf",
           harness::TableText(host, "INSERT INTO fragile VALUES ('%s') RETURNING 'ok'", setting)});
    }
    options.yaml = "pool:\n  connections: 1\n";
    instance_ = std::make_unique<PostfixInstance>(world_.NewDirectory(), options);
    instance_->Start();
    client_ = std::make_unique<ProxymapClient>(instance_->SocketPath());
  }

  harness::Answer Look(const std::string& table, const std::string& key) {
    return client_->Lookup(instance_->Table(table), key);
  }
  std::string Sql(const std::string& text) {
    return world_.first().Sql(harness::kMailDatabase, text);
  }

  MailWorld& world_ = MailWorld::Instance();
  std::unique_ptr<PostfixInstance> instance_;
  std::unique_ptr<ProxymapClient> client_;
};

TEST_F(Commit, AWriteThatFailsAtItsEndIsNoSuccess) {
  int written = 0;
  for (const std::string mode : {"auto", "legacy", "prepared", "parameterized"}) {
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(Look("child-" + mode + ".cf", "99").Is(Status::kRetry)) << mode;
      EXPECT_TRUE(Look("child-" + mode + ".cf", "1").IsValue("ok")) << mode;
      EXPECT_TRUE(Look("fragile-" + mode + ".cf", "1").Is(Status::kRetry)) << mode;
      ++written;
    }
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM child"), std::to_string(written));
  EXPECT_EQ(Sql("SELECT count(*) FROM fragile"), "0");
  EXPECT_FALSE(instance_->LogLinesWith({"violates foreign key constraint"}).empty())
      << instance_->Log();
  EXPECT_FALSE(instance_->LogLinesWith({"refused at the end"}).empty()) << instance_->Log();
  EXPECT_TRUE(instance_->LogLinesWith({"lost"}).empty()) << instance_->Log();
}

}  // namespace
}  // namespace proxymux::integration
