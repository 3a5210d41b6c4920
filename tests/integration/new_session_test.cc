// When the database changes, lookups soon give what a new session would: statements that are
// prepared, settings and rights of the sessions that are open do not outlive it.
#include <signal.h>

#include "tests/integration/one_server.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::Describe;
using harness::Eventually;
using protocol::Status;

class NewSession : public OneServerTest {
 protected:
  void SetUp() override {
    world_.Mend();
    Forget();
  }
  ~NewSession() override { Forget(); }

  void Forget() {
    Sql("ALTER ROLE mailreader RESET ALL; ALTER DATABASE mail RESET ALL;"
        "DROP SCHEMA IF EXISTS changing, before, after CASCADE;"
        "CREATE SCHEMA changing; GRANT USAGE ON SCHEMA changing TO mailreader;"
        "CREATE SCHEMA IF NOT EXISTS extensions; GRANT USAGE ON SCHEMA extensions TO mailreader;"
        "CREATE EXTENSION IF NOT EXISTS citext SCHEMA extensions;"
        "ALTER DEFAULT PRIVILEGES IN SCHEMA changing GRANT SELECT ON TABLES TO mailreader");
  }
  // The query in every statement_mode.
  void Start(const std::string& query) {
    for (const char* mode : kEveryMode) {
      AddInMode(mode, std::string(mode) + ".cf", query);
    }
    StartService("");
  }
  // `expected` is a value, or empty: not found.
  static bool Fits(const Answer& answer, const std::string& expected) {
    return expected.empty() ? answer.Is(Status::kNoKey) : answer.IsValue(expected);
  }
  void ExpectNow(const std::string& key, const std::string& expected) {
    for (const char* mode : kEveryMode) {
      const Answer answer = Look(std::string(mode) + ".cf", key);
      EXPECT_TRUE(Fits(answer, expected)) << mode << ": " << Describe(answer);
    }
  }
  // Within a time that no machine needs, and from then on always.
  void ExpectSoon(const std::string& key, const std::string& expected) {
    const bool soon = Eventually([&] {
      for (const char* mode : kEveryMode) {
        if (!Fits(Look(std::string(mode) + ".cf", key), expected)) return false;
      }
      return true;
    });
    EXPECT_TRUE(soon);
    for (int i = 0; i < (soon ? 50 : 1); ++i) ExpectNow(key, expected);
  }
};

TEST_F(NewSession, AColumnBecomesCitext) {
  Sql("CREATE TABLE changing.a (address text PRIMARY KEY, goto text);"
      "INSERT INTO changing.a VALUES ('User@Example.com', 'box')");
  Start("SELECT goto FROM changing.a WHERE address = '%s'");
  ExpectNow("user@example.com", "");
  Sql("ALTER TABLE changing.a ALTER COLUMN address TYPE extensions.citext;"
      "ALTER DATABASE mail SET search_path = extensions, public");
  ExpectSoon("user@example.com", "box");
}

// The operators of the type stand in the search path from the beginning.
TEST_F(NewSession, AColumnBecomesCitextAndNothingElseChanges) {
  Sql("ALTER DATABASE mail SET search_path = extensions, public;"
      "CREATE TABLE changing.a (address text PRIMARY KEY, goto text);"
      "INSERT INTO changing.a VALUES ('User@Example.com', 'box')");
  Start("SELECT goto FROM changing.a WHERE address = '%s'");
  ExpectNow("user@example.com", "");
  Sql("ALTER TABLE changing.a ALTER COLUMN address TYPE extensions.citext");
  ExpectSoon("user@example.com", "box");
}

// SIGHUP forgets what was prepared: the first lookup after it is right.
TEST_F(NewSession, AReloadForgetsAtOnce) {
  Sql("ALTER DATABASE mail SET search_path = extensions, public;"
      "CREATE TABLE changing.a (address text PRIMARY KEY, goto text);"
      "INSERT INTO changing.a VALUES ('User@Example.com', 'box')");
  Start("SELECT goto FROM changing.a WHERE address = '%s'");
  ExpectNow("user@example.com", "");
  Sql("ALTER TABLE changing.a ALTER COLUMN address TYPE extensions.citext");
  const auto pids = postfix_->Pids("proxymux");
  ASSERT_EQ(pids.size(), 1u);
  const std::size_t mark = postfix_->LogMark();
  ASSERT_EQ(::kill(pids[0], SIGHUP), 0);
  ASSERT_TRUE(postfix_->WaitForLog("SIGHUP: settings and tables were read again", mark))
      << postfix_->Log();
  ExpectNow("user@example.com", "box");
}

TEST_F(NewSession, AFunctionIsOverloaded) {
  Sql("CREATE FUNCTION changing.pick(k varchar) RETURNS text IMMUTABLE LANGUAGE sql AS"
      " $f$ SELECT 'varchar'::text $f$");
  Start("SELECT changing.pick('%s')");
  ExpectNow("key", "varchar");
  Sql("CREATE FUNCTION changing.pick(k text) RETURNS text IMMUTABLE LANGUAGE sql AS"
      " $f$ SELECT 'text'::text $f$");
  ExpectSoon("key", "text");
  Sql("DROP FUNCTION changing.pick(text)");
  ExpectSoon("key", "varchar");
}

// The new operator suits a literal better; a parameter that was given its type before would not
// come to it.
TEST_F(NewSession, AnOperatorIsOverloaded) {
  Sql("CREATE TABLE changing.a (address text, goto text);"
      "INSERT INTO changing.a VALUES ('User@Example.com', 'box');"
      "CREATE FUNCTION changing.same(a text, b varchar) RETURNS boolean IMMUTABLE LANGUAGE sql AS"
      " $f$ SELECT a OPERATOR(pg_catalog.=) b::text $f$;"
      "CREATE FUNCTION changing.alike(a text, b text) RETURNS boolean IMMUTABLE LANGUAGE sql"
      " AS $f$ SELECT lower(a) OPERATOR(pg_catalog.=) lower(b) $f$;"
      "CREATE OPERATOR changing.=== (FUNCTION = changing.same, LEFTARG = text, RIGHTARG = "
      "varchar)");
  Start("SELECT goto FROM changing.a WHERE address OPERATOR(changing.===) '%s'");
  ExpectNow("user@example.com", "");
  Sql("CREATE OPERATOR changing.=== (FUNCTION = changing.alike, LEFTARG = text, RIGHTARG = text)");
  ExpectSoon("user@example.com", "box");
}

TEST_F(NewSession, TheSearchPathOfTheRoleAndOfTheDatabase) {
  Sql("CREATE SCHEMA before CREATE TABLE a (address text, goto text);"
      "CREATE SCHEMA after CREATE TABLE a (address text, goto text);"
      "INSERT INTO before.a VALUES ('key', 'before'); INSERT INTO after.a VALUES ('key', 'after');"
      "GRANT USAGE ON SCHEMA before, after TO mailreader;"
      "GRANT SELECT ON before.a, after.a TO mailreader;"
      "ALTER DATABASE mail SET search_path = before");
  Start("SELECT goto FROM a WHERE address = '%s'");
  ExpectNow("key", "before");
  Sql("ALTER ROLE mailreader SET search_path = after");
  ExpectSoon("key", "after");
  Sql("ALTER ROLE mailreader RESET search_path");
  ExpectSoon("key", "before");
  Sql("ALTER DATABASE mail SET search_path = after");
  ExpectSoon("key", "after");
}

TEST_F(NewSession, AViewIsReplaced) {
  Sql("CREATE VIEW changing.v AS SELECT 'key'::text AS address, 'old'::text AS goto");
  Start("SELECT goto FROM changing.v WHERE address = '%s'");
  ExpectNow("key", "old");
  Sql("CREATE OR REPLACE VIEW changing.v AS SELECT 'key'::text AS address, 'new'::text AS goto");
  ExpectSoon("key", "new");
}

TEST_F(NewSession, RowSecurityIsSwitchedOnAndOff) {
  Sql("CREATE TABLE changing.a (address text, goto text);"
      "INSERT INTO changing.a VALUES ('key', 'box')");
  Start("SELECT goto FROM changing.a WHERE address = '%s'");
  ExpectNow("key", "box");
  Sql("ALTER TABLE changing.a ENABLE ROW LEVEL SECURITY");
  ExpectSoon("key", "");
  Sql("CREATE POLICY shown ON changing.a USING (true)");
  ExpectSoon("key", "box");
  Sql("ALTER POLICY shown ON changing.a USING (address <> 'key')");
  ExpectSoon("key", "");
}

}  // namespace
}  // namespace proxymux::integration
