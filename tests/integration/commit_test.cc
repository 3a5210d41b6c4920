// What fails only when its transaction ends is no success.
#include <string>

#include "tests/integration/one_server.h"

namespace proxymux::integration {
namespace {

using protocol::Status;

class Commit : public OneServerTest {
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
    for (const std::string mode : kEveryMode) {
      AddInMode(mode, "child-" + mode + ".cf", "INSERT INTO child VALUES ('%s') RETURNING 'ok'");
      AddInMode(mode, "fragile-" + mode + ".cf",
                "INSERT INTO fragile VALUES ('%s') RETURNING 'ok'");
    }
    StartService("pool:\n  connections: 1\n");
  }
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
  EXPECT_FALSE(postfix_->LogLinesWith({"violates foreign key constraint"}).empty())
      << postfix_->Log();
  EXPECT_FALSE(postfix_->LogLinesWith({"refused at the end"}).empty()) << postfix_->Log();
  EXPECT_TRUE(postfix_->LogLinesWith({"lost"}).empty()) << postfix_->Log();
}

}  // namespace
}  // namespace proxymux::integration
