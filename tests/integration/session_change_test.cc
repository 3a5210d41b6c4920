// What a table's functions change in the session, or for their transaction, is never seen by
// another table of the same pool.
#include <chrono>
#include <deque>

#include "tests/integration/one_server.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::Describe;
using harness::PostgresCluster;
using harness::ProxymapClient;
using protocol::Status;

// setter.cf calls a VOLATILE function that sets the search path, local.cf a STABLE one that sets
// its tenant for the transaction; good.cf reads a table by the search path and secured.cf one whose
// rows are shown by the tenant.
class SessionChange : public OneServerTest {
 protected:
  void SetUp() override {
    world_.Mend();
    Sql(R"(
      DROP SCHEMA IF EXISTS evil CASCADE;
      DROP TABLE IF EXISTS addresses, boxes;
      CREATE TABLE addresses (address text PRIMARY KEY, goto text);
      INSERT INTO addresses VALUES ('good@example.com', 'right');
      CREATE SCHEMA evil;
      CREATE TABLE evil.addresses (address text, goto text);
      INSERT INTO evil.addresses VALUES ('good@example.com', 'wrong');
      CREATE OR REPLACE FUNCTION setter(t text) RETURNS text LANGUAGE plpgsql VOLATILE AS
        $f$ BEGIN PERFORM set_config('search_path', 'evil', false); RETURN 'set'; END $f$;
      CREATE TABLE boxes (tenant text, address text, goto text);
      INSERT INTO boxes VALUES ('one', 'user@example.com', 'box-of-one'),
        ('two', 'hidden@example.com', 'box-of-two');
      ALTER TABLE boxes ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON boxes USING (tenant = current_setting('app.tenant', true));
      CREATE OR REPLACE FUNCTION tenant_box(a text) RETURNS text LANGUAGE plpgsql STABLE AS
        $f$ BEGIN PERFORM set_config('app.tenant', 'two', true);
        RETURN (SELECT goto FROM boxes WHERE address = a); END $f$;
      GRANT USAGE ON SCHEMA evil TO mailreader;
      GRANT SELECT ON ALL TABLES IN SCHEMA public, evil TO mailreader;)");
    Add("setter.cf", "SELECT public.setter('%s')");
    Add("good.cf", "SELECT goto FROM addresses WHERE address = '%s'");
    Add("local.cf", "SELECT tenant_box('%s')");
    Add("secured.cf", "SELECT goto FROM boxes WHERE address = '%s'");
  }
};

TEST_F(SessionChange, ASearchPathThatStays) {
  StartService("pool: {connections: 1}\n");
  for (int i = 0; i < 20; ++i) {
    const Answer set = Look("setter.cf", "k@example.com");
    ASSERT_TRUE(set.IsValue("set")) << Describe(set);
    const Answer good = Look("good.cf", "good@example.com");
    ASSERT_TRUE(good.IsValue("right")) << "lookup " << i << ": " << Describe(good);
  }
}

// Forty letters that are eighty bytes in the table file, which this database's encoding makes forty
// again, so that the server does not cut the name; and eighty that it does cut.
TEST_F(SessionChange, FunctionsWithLongNamesAreKnown) {
  std::string in_file, in_sql;
  for (int i = 0; i < 40; ++i) {
    in_file += "\xc3\xa9";
    in_sql += "\\00e9";
  }
  const std::string cut(80, 'a');
  PostgresCluster& server = world_.first();
  server.Sql("postgres", "DROP DATABASE IF EXISTS latin");
  server.Sql("postgres",
             "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' "
             "LC_CTYPE 'C'");
  server.Sql("latin", R"(
      CREATE TABLE addresses (address text PRIMARY KEY, goto text);
      INSERT INTO addresses VALUES ('good@example.com', 'right');
      CREATE SCHEMA evil;
      CREATE TABLE evil.addresses (address text, goto text);
      INSERT INTO evil.addresses VALUES ('good@example.com', 'wrong');
      GRANT USAGE ON SCHEMA evil TO mailreader;
      GRANT SELECT ON ALL TABLES IN SCHEMA public, evil TO mailreader;)");
  for (const std::string& name : {in_sql, cut}) {
    server.Sql("latin",
               "CREATE FUNCTION public.U&\"" + name +
                   "\"(t text) RETURNS text LANGUAGE plpgsql VOLATILE AS $f$ BEGIN PERFORM "
                   "set_config('search_path', 'evil', false); RETURN 'set'; END $f$");
  }
  const std::string more = "dbname = latin\nencoding = UTF8\n";
  options_.tables.clear();
  Add("whole.cf", "SELECT public.\"" + in_file + "\"('%s')", more);
  Add("cut.cf", "SELECT public.\"" + cut + "\"('%s')", more);
  Add("good.cf", "SELECT goto FROM addresses WHERE address = '%s'", more);
  StartService("pool: {connections: 1}\n");
  for (const char* setter : {"whole.cf", "cut.cf", "whole.cf", "cut.cf"}) {
    const Answer set = Look(setter, "k@example.com");
    ASSERT_TRUE(set.IsValue("set")) << Describe(set);
    const Answer good = Look("good.cf", "good@example.com");
    ASSERT_TRUE(good.IsValue("right")) << "behind " << setter << ": " << Describe(good);
  }
}

// Half of the clients ask one table and half the other, all at once, so that batches hold both.
TEST_F(SessionChange, ATenantOfATransaction) {
  for (const char* connections : {"1", "2", "4"}) {
    StartService(std::string("pool: {connections: ") + connections + "}\ntable: {coalesce: off}\n");
    std::deque<ProxymapClient> clients;
    for (int i = 0; i < 40; ++i) clients.emplace_back(postfix_->SocketPath());
    constexpr int kRounds = 50;
    int shown = 0, other = 0;
    std::string first_other;
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < clients.size(); ++i) {
        const std::string file = i % 2 == 0 ? "local.cf" : "secured.cf";
        ASSERT_TRUE(
            clients[i].Send(protocol::LookupRequest{postfix_->Table(file), harness::kPostmapFlags,
                                                    harness::kPostmapFlags, "hidden@example.com"}));
      }
      for (std::size_t i = 0; i < clients.size(); ++i) {
        const Answer answer = clients[i].Receive(protocol::RequestKind::kLookup);
        if (i % 2 == 0 ? answer.IsValue("box-of-two") : answer.Is(Status::kNoKey)) continue;
        ++(answer.Is(Status::kOk) ? shown : other);
        if (!answer.Is(Status::kOk)) first_other = Describe(answer);
      }
    }
    EXPECT_EQ(shown, 0) << "hidden rows were shown, of " << kRounds * 20 << " lookups, with "
                        << connections << " connections";
    EXPECT_EQ(other, 0) << first_other;
    clients.clear();
  }
}

}  // namespace
}  // namespace proxymux::integration
