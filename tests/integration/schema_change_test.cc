// Whatever is changed in the database: answers are soon those of a new session.
#include <string>

#include "tests/harness/deadline.h"
#include "tests/integration/one_server.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using protocol::Status;
using std::chrono::seconds;

// Each table is asked as a prepared statement and as text.
class SchemaChange : public OneServerTest {
 protected:
  SchemaChange() {
    world_.Mend();
    Reset();
    Sql("DROP TABLE IF EXISTS people, shelf CASCADE; DROP SCHEMA IF EXISTS other CASCADE;"
        "CREATE EXTENSION IF NOT EXISTS citext;"
        "CREATE TABLE people (address text PRIMARY KEY, v text);"
        "INSERT INTO people VALUES ('User@Example.com', 'box');"
        "CREATE TABLE shelf (k text, v text); INSERT INTO shelf VALUES ('a', 'public');"
        "CREATE VIEW shown AS SELECT k, v FROM shelf;"
        "CREATE SCHEMA other; CREATE TABLE other.shelf (k text, v text);"
        "INSERT INTO other.shelf VALUES ('a', 'other');"
        "GRANT USAGE ON SCHEMA other TO mailreader;"
        "GRANT SELECT ON people, shelf, shown, other.shelf TO mailreader;"
        "DROP FUNCTION IF EXISTS pick(text); DROP FUNCTION IF EXISTS pick(int);"
        "CREATE FUNCTION pick(int) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'number' $$;"
        "DROP FUNCTION IF EXISTS same(int, text) CASCADE;"
        "DROP FUNCTION IF EXISTS same(int, int) CASCADE;"
        "CREATE FUNCTION same(int, text) RETURNS bool IMMUTABLE LANGUAGE sql AS $$ SELECT true $$;"
        "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = text, FUNCTION = same)");
    AddTable("people", "SELECT v FROM people WHERE address = '%s'");
    AddTable("shelf", "SELECT v FROM shelf WHERE k = '%s'");
    AddTable("shown", "SELECT v FROM shown WHERE k = '%s'");
    AddTable("pick", "SELECT pick('%s')");
    AddTable("operator", "SELECT 'equal' WHERE 1 === '%s'");
    StartService("pool:\n  connections: 1\n");
  }
  ~SchemaChange() override {
    postfix_.reset();
    Reset();
  }

  void AddTable(const std::string& name, const std::string& query) {
    for (const char* mode : {"prepared", "legacy"}) {
      AddInMode(mode, name + "-" + mode + ".cf", query);
    }
  }
  void Reset() {
    Sql("ALTER ROLE mailreader RESET ALL; ALTER ROLE mailreader NOBYPASSRLS;"
        "ALTER ROLE mailreader IN DATABASE mail RESET ALL; ALTER DATABASE mail RESET ALL");
    Reload("ALTER SYSTEM RESET search_path");
  }
  void Reload(const std::string& command) {
    world_.first().Sql("postgres", command);
    world_.first().Sql("postgres", "SELECT pg_reload_conf()");
  }
  // Now, or soon; an empty value is no such key.
  void ExpectSoon(const std::string& name, const std::string& key, const std::string& value) {
    for (const char* mode : {"-prepared.cf", "-legacy.cf"}) {
      const auto is_there = [&] {
        const auto answer = Look(name + mode, key);
        return value.empty() ? answer.Is(Status::kNoKey) : answer.IsValue(value);
      };
      EXPECT_TRUE(Eventually(is_there, seconds(30)))
          << name << mode << Describe(Look(name + mode, key)) << postfix_->Log();
      EXPECT_TRUE(is_there()) << name << mode;
    }
  }
};

TEST_F(SchemaChange, AColumnOfAnotherType) {
  ExpectSoon("people", "user@example.com", "");
  Sql("ALTER TABLE people ALTER address TYPE citext");
  ExpectSoon("people", "user@example.com", "box");
  Sql("ALTER TABLE people ALTER address TYPE text");
  ExpectSoon("people", "user@example.com", "");
}

TEST_F(SchemaChange, AFunctionThatFitsBetter) {
  ExpectSoon("pick", "1", "number");
  Sql("CREATE FUNCTION pick(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'text' $$");
  ExpectSoon("pick", "1", "text");
}

TEST_F(SchemaChange, AnOperatorThatFitsBetter) {
  ExpectSoon("operator", "2", "equal");
  Sql("CREATE FUNCTION same(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS $$ SELECT false $$;"
      "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same)");
  ExpectSoon("operator", "2", "");
}

TEST_F(SchemaChange, ASearchPathOfTheRoleAndOfTheDatabase) {
  ExpectSoon("shelf", "a", "public");
  for (const char* whom :
       {"ROLE mailreader", "ROLE mailreader IN DATABASE mail", "DATABASE mail"}) {
    SCOPED_TRACE(whom);
    Sql("ALTER " + std::string(whom) + " SET search_path = other, public");
    ExpectSoon("shelf", "a", "other");
    Sql("ALTER " + std::string(whom) + " RESET search_path");
    ExpectSoon("shelf", "a", "public");
  }
}

TEST_F(SchemaChange, ASearchPathOfTheServer) {
  ExpectSoon("shelf", "a", "public");
  Reload("ALTER SYSTEM SET search_path = other, public");
  ExpectSoon("shelf", "a", "other");
}

TEST_F(SchemaChange, AViewThatIsReplaced) {
  ExpectSoon("shown", "a", "public");
  Sql("CREATE OR REPLACE VIEW shown AS SELECT k, v FROM other.shelf");
  ExpectSoon("shown", "a", "other");
}

TEST_F(SchemaChange, RowSecurity) {
  ExpectSoon("shelf", "a", "public");
  Sql("ALTER TABLE shelf ENABLE ROW LEVEL SECURITY");
  ExpectSoon("shelf", "a", "");
  Sql("CREATE POLICY all_rows ON shelf USING (true)");
  ExpectSoon("shelf", "a", "public");
  Sql("DROP POLICY all_rows ON shelf");
  ExpectSoon("shelf", "a", "");
  Sql("ALTER ROLE mailreader BYPASSRLS");
  ExpectSoon("shelf", "a", "public");
}

// Each second a new one takes the old one's place.
TEST_F(SchemaChange, StatementsDoNotAddUp) {
  Sql("CREATE OR REPLACE FUNCTION statements() RETURNS text LANGUAGE sql AS"
      " $$ SELECT count(*)::text FROM pg_prepared_statements $$");
  postfix_->WriteConfig("pick-legacy.cf",
                        harness::TableText(world_.first().TcpHost(), "SELECT statements()"));
  const auto end = std::chrono::steady_clock::now() + seconds(5);
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_TRUE(Look("shelf-prepared.cf", "a").IsValue("public"));
    ASSERT_TRUE(Look("shown-prepared.cf", "a").IsValue("public"));
  }
  EXPECT_TRUE(Eventually(
      [&] {
        const auto answer = Look("pick-legacy.cf", "a");
        return answer.Is(Status::kOk) && std::atoi(answer.value.c_str()) <= 4;
      },
      seconds(30)))
      << Describe(Look("pick-legacy.cf", "a"));
}

}  // namespace
}  // namespace proxymux::integration
