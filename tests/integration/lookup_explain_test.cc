// `proxymux lookup --explain`: what became of a key, on real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/harness/socket.h"
#include "tests/integration/lookup_programs.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using harness::TableText;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using LookupExplain = LookupPrograms;

TEST_F(LookupExplain, ShowsTheWholeWay) {
  const std::string table = NewTable(
      "all.cf", "SELECT address, NULL FROM mailbox WHERE id < 31 AND '%u' = 'all' ORDER BY id",
      "result_format = <%u>\nexpansion_limit = 100\n");
  const CommandResult result = Explain("ALL@Example.Com", table);
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("table:      " + table + "\n"));
  EXPECT_THAT(result.out, HasSubstr("smtputf8_enable = yes"));
  EXPECT_THAT(result.out, HasSubstr("key:        \"ALL@Example.Com\"\n"));
  EXPECT_THAT(result.out, HasSubstr("folded key: \"all@example.com\" (Unicode)\n"));
  EXPECT_THAT(result.out, HasSubstr(" AND '%u' = 'all' ORDER BY id\n"));
  EXPECT_THAT(result.out, HasSubstr("plan:       "));
  EXPECT_THAT(result.out, HasSubstr("statement:  SELECT address, NULL FROM mailbox WHERE id < 31"));
  EXPECT_THAT(result.out, testing::ContainsRegex("pool:       mailreader@127\\.0\\.0\\.1"));
  EXPECT_THAT(result.out, testing::ContainsRegex("host:       127\\.0\\.0\\.1:[0-9]+\n"));
  EXPECT_THAT(result.out, testing::ContainsRegex("time:       [0-9]+\\.[0-9] ms\n"));
  EXPECT_THAT(result.out, HasSubstr("rows:       30 (columns: 2)\n"
                                    "  row 1:    \"box1@store.example.net\", NULL\n"));
  EXPECT_THAT(result.out, HasSubstr("  row 20:   \"box20@store.example.net\", NULL\n"
                                    "  and 10 more rows\n"
                                    "elements:   30, and 30 skipped that are NULL or empty\n"));
  EXPECT_THAT(result.out, HasSubstr("value:      \"<box1>,<box2>,"));
  EXPECT_THAT(result.out, HasSubstr("status:     OK"));
}

TEST_F(LookupExplain, ShowsTheValueThatALookupGives) {
  for (const harness::TableFile& file : postfix_.options().tables) {
    if (file.name == "pgsql-id.cf" || file.name == "pgsql-mailbox-domains.cf") continue;
    const harness::MailLookup lookup = harness::LookupIn(file.name, 7);
    const CommandResult result = Explain(lookup.key, postfix_.Table(file.name));
    EXPECT_THAT(result.out, HasSubstr("value:      \"" + lookup.value + "\"\n"));
    EXPECT_EQ(result.status, 0) << result.err;
  }
}

TEST_F(LookupExplain, ShowsTheStatementAsTheServerGotIt) {
  const std::string quoted = Explain("o'Brien\\", NewTable("q.cf", "SELECT 1 = length('%s')")).out;
  // As text or with a parameter.
  EXPECT_THAT(quoted, testing::AnyOf(HasSubstr("length('o''brien\\')\n"),
                                     HasSubstr("length($1)\n  $1:       \"o'brien\\\\\"\n")));
  const std::string text =
      Explain("5", NewTable("t.cf", "SELECT id FROM mailbox WHERE id = %s")).out;
  EXPECT_THAT(text, HasSubstr("plan:       text; stays text: a placeholder stands outside of"));
  EXPECT_THAT(text, HasSubstr("statement:  SELECT id FROM mailbox WHERE id = 5\n"));
}

TEST_F(LookupExplain, SaysWhyNothingWasAsked) {
  EXPECT_THAT(Explain("x@elsewhere", postfix_.Table("pgsql-mailboxes.cf")).out,
              AllOf(HasSubstr("not asked:  the key is not user@domain with a domain on the"),
                    HasSubstr("status:     NOKEY"), Not(HasSubstr("host:"))));
  EXPECT_THAT(Explain("x", postfix_.Table("pgsql-transport.cf")).out,
              HasSubstr("not asked:  the key has no domain\n"));
  EXPECT_THAT(Explain("\xff", postfix_.Table("pgsql-aliases.cf")).out,
              HasSubstr("not asked:  the key is not valid UTF-8\n"));
}

TEST_F(LookupExplain, AsksTheTablesOfADomainList) {
  const std::string table = NewTable(
      "listed.cf", "SELECT 'yes' WHERE '%s' <> ''",
      "domain = !inline:{never.example=1} example.com, inline:{a.example=1, b.example=2}\n");
  for (const char* key : {"u@a.example", "u@B.Example", "u@example.com"}) {
    ExpectValue(key, table, "yes");
  }
  for (const char* key : {"u@c.example", "u@never.example", "u"}) ExpectNoValue(key, table);
  EXPECT_THAT(Explain("u@b.example", table).out,
              HasSubstr("inline:{never.example=1}: not found, inline:{a.example=1, b.example=2}: "
                        "found"));
  const std::string broken =
      NewTable("broken.cf", "SELECT 'yes'", "domain = hash:/no/such/file, example.com\n");
  const CommandResult result = Explain("u@a.example", broken);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("/no/such/file: failed"), HasSubstr("status:     RETRY")));
}

TEST_F(LookupExplain, TellsWhatAClientWouldGetInstead) {
  const CommandResult key = Explain("abc", postfix_.Table("pgsql-id.cf"));
  EXPECT_EQ(key.status, 1);
  EXPECT_THAT(key.out, AllOf(HasSubstr("22P02"), HasSubstr("status:     RETRY"),
                             HasSubstr("statement:  "), Not(HasSubstr("rows:"))));
  EXPECT_THAT(Explain("x", NewTable("wrong.cf", "SELECT nothing FROM nowhere")).out,
              AllOf(HasSubstr("42P01"), HasSubstr("status:     CONFIG")));
  const std::string host = "127.0.0.1:" + std::to_string(harness::FreePort());
  postfix_.WriteConfig("down.cf", TableText(host, "SELECT 1"));
  EXPECT_THAT(Explain("x", postfix_.Table("down.cf")).out,
              AllOf(HasSubstr("host:       none answered\n"), HasSubstr("reason:     " + host),
                    HasSubstr("status:     RETRY"), Not(HasSubstr("time:"))));
}

TEST_F(LookupExplain, WorksForKeysOnStandardInput) {
  const CommandResult result = Ask("-", postfix_.Table("pgsql-aliases.cf"), {"--explain"},
                                   "user1@example1.com\nnobody@example1.com\n");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("status:     OK: the value is the answer\n\ntable:"));
  EXPECT_THAT(result.out, testing::EndsWith("status:     NOKEY: there is no such key\n"));
}

// A query that may write must not be run twice to be explained.
TEST_F(LookupExplain, RunsAQueryOnce) {
  const std::string host = world_.first().TcpHost();
  world_.first().Sql(harness::kMailDatabase,
                     "CREATE SEQUENCE asked; GRANT USAGE ON SEQUENCE asked TO mailreader");
  postfix_.WriteConfig("count.cf", TableText(host, "SELECT nextval('asked')"));
  EXPECT_THAT(Explain("x", postfix_.Table("count.cf")).out, HasSubstr("value:      \"1\"\n"));
  EXPECT_THAT(Explain("x", postfix_.Table("count.cf")).out, HasSubstr("value:      \"2\"\n"));
  EXPECT_EQ(Ask("x", postfix_.Table("count.cf")).out, "3\n");
}

}  // namespace
}  // namespace proxymux::integration
