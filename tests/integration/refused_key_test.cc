// Keys that may not be written into their query, through the real program: RETRY with a warning,
// never "not found", which would bounce the mail; and no other row.
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/one_server.h"

namespace proxymux::integration {
namespace {

using protocol::Status;

class RefusedKey : public OneServerTest {
 protected:
  void SetUp() override {
    world_.Mend();
    Sql("DROP TABLE IF EXISTS a, n; CREATE TABLE a (address text PRIMARY KEY, goto text);"
        "INSERT INTO a VALUES ('other@example.com', 'secret'), ('back\\slash', 'found');"
        "CREATE TABLE n (id int PRIMARY KEY, v text); INSERT INTO n VALUES (7, 'seven'), (-7, 'm');"
        "GRANT SELECT ON a, n TO mailreader");
    Add("comment.cf", "SELECT /* %s */ goto FROM a WHERE address = '%s'");
    Add("dollar.cf", "SELECT goto FROM a WHERE address = $$%s$$");
    Add("identifier.cf", "SELECT \"%u\" FROM a WHERE address = 'other@example.com'");
    Add("number.cf", "SELECT v FROM n WHERE id = %s");
    for (const char* mode : {"parameterized", "prepared"}) {
      AddInMode(mode, std::string("number-") + mode + ".cf", "SELECT v FROM n WHERE id = %s");
    }
    for (const char* mode : {"legacy", "prepared"}) {
      Add(std::string("utf8-") + mode + ".cf", "SELECT goto FROM a WHERE address = '%s'",
          std::string("encoding = UTF8\nstatement_mode = ") + mode + "\n");
    }
    Add("latin1.cf", "SELECT goto FROM a WHERE address = '%s'", "encoding = LATIN1\n");
    options_.main_cf.push_back("smtputf8_enable = no");
    StartService("");
  }

  harness::Answer Look(const std::string& table, const std::string& key) {
    return OneServerTest::Look(table + ".cf", key);
  }
  void ExpectWarned(const std::string& table, const std::string& why) {
    EXPECT_TRUE(postfix_->WaitForLog(table + ".cf: lookup failed for now: " + why)) << table;
  }
};

TEST_F(RefusedKey, AKeyThatWouldLeaveItsToken) {
  for (const auto& [table, key] : std::vector<std::pair<std::string, std::string>>{
           {"comment", "*/ goto from a where address=$$other@example.com$$ -- @x"},
           {"dollar", "x$$ or address=$$other@example.com"},
           {"identifier", "goto\" from a where goto = $$secret$$ -- @x"}}) {
    EXPECT_TRUE(Look(table, key).Is(Status::kRetry)) << table;
    ExpectWarned(table, "the key would end the comment, name or literal of the query");
  }
  EXPECT_TRUE(Look("comment", "other@example.com").IsValue("secret"));
  EXPECT_TRUE(Look("comment", "back\\slash").IsValue("found"));
  EXPECT_TRUE(Look("dollar", "other@example.com").IsValue("secret"));
  EXPECT_TRUE(Look("dollar", "a$b").Is(Status::kNoKey));
  EXPECT_TRUE(Look("identifier", "goto@x").IsValue("secret"));
}

TEST_F(RefusedKey, AKeyThatIsNoNumberOutsideOfQuotes) {
  EXPECT_TRUE(Look("number", "7").IsValue("seven"));
  EXPECT_TRUE(Look("number", "-7").IsValue("m"));
  EXPECT_TRUE(Look("number", "8").Is(Status::kNoKey));
  for (const char* key : {"user@example.com", "3+4", "1 OR true"}) {
    EXPECT_TRUE(Look("number", key).Is(Status::kRetry)) << key;
  }
  ExpectWarned("number", "the key would stand outside of quotes and is not a plain number");
}

// There the server has an error for what is no number, as with the Postfix that has these modes.
TEST_F(RefusedKey, ExplicitModesBindOutsideOfQuotes) {
  for (const std::string table : {"number-parameterized", "number-prepared"}) {
    EXPECT_TRUE(Look(table, "7").IsValue("seven"));
    EXPECT_TRUE(Look(table, "8").Is(Status::kNoKey));
    EXPECT_TRUE(Look(table, "3+4").Is(Status::kRetry));
    ExpectWarned(table,
                 world_.first().TcpHost() + ": invalid input syntax for type integer: \"3+4\"");
    EXPECT_TRUE(Look(table, "-7").IsValue("m"));
    EXPECT_NE(Sql("SELECT string_agg(query, ' ') FROM pg_stat_activity"
                  " WHERE application_name = 'proxymux'")
                  .find("id = $1"),
              std::string::npos);
  }
}

TEST_F(RefusedKey, AKeyThatTheEncodingHasNot) {
  for (const std::string table : {"utf8-legacy", "utf8-prepared"}) {
    EXPECT_TRUE(Look(table, "gr\xfc\xdf").Is(Status::kRetry)) << table;
    ExpectWarned(table, "the key cannot be written in the connection's encoding");
    EXPECT_TRUE(Look(table, "gr\xc3\xbc\xc3\x9f").Is(Status::kNoKey)) << table;
  }
  EXPECT_TRUE(Look("latin1", "gr\xfc\xdf").Is(Status::kNoKey));
}

TEST_F(RefusedKey, CheckTellsOfSuchQueries) {
  const harness::CommandResult check = harness::RunCommand(
      {postfix_->options().proxymux, "check", "--config-directory", postfix_->config_directory()});
  for (const char* text :
       {"comment.cf:5: warning: query: character 11: a placeholder stands in a comment",
        "dollar.cf:5: warning: query: character 38: a placeholder stands in a dollar-quoted "
        "literal",
        "identifier.cf:5: warning: query: character 9: a placeholder stands in a quoted identifier",
        "number.cf:5: warning: query: character 28: a placeholder stands outside of quotes: a key "
        "that is not a plain number is answered RETRY"}) {
    EXPECT_NE(check.out.find(text), std::string::npos) << text << "\n" << check.out << check.err;
  }
  EXPECT_EQ(check.out.find("number-prepared.cf:5: warning"), std::string::npos) << check.out;
}

}  // namespace
}  // namespace proxymux::integration
