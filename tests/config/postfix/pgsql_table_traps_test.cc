// What is said of table files that Postfix takes as they stand and nobody means as they stand.
#include <gtest/gtest.h>

#include <string>

#include "config/postfix/pgsql_table_parser.h"
#include "tests/config/values/messages.h"

namespace proxymux::config {
namespace {

// A good table, with these lines behind its own.
std::string Said(const std::string& lines) {
  const ParsedTable parsed =
      ParsePgsqlTable("dbname = mail\nquery = SELECT '%s'\n" + lines, "t.cf", MailVersion{3, 12});
  EXPECT_TRUE(parsed.table.has_value()) << "it stays in use: " << Messages(parsed);
  return Messages(parsed);
}

void ExpectTrap(const std::string& lines, const std::string& what, const std::string& instead) {
  const std::string said = Said(lines);
  EXPECT_NE(said.find("t.cf:3: warning: "), std::string::npos) << lines << said;
  EXPECT_NE(said.find(what), std::string::npos) << lines << said;
  EXPECT_NE(said.find(instead), std::string::npos) << lines << said;
}

void ExpectNone(const std::string& lines) { EXPECT_EQ(Said(lines), "") << lines; }

TEST(PgsqlTableTraps, ACommentBehindAValue) {
  for (const char* name : {"hosts", "user", "password", "result_format", "domain"}) {
    ExpectTrap(std::string(name) + " = value # the first one\n", std::string(name) + ": a # behind",
               "a line of its own");
  }
  ExpectTrap("password = # none\n", "password: a # behind", "a line of its own");
  ExpectNone("password = a#b\n");
  ExpectNone("password = #ab\n");
  ExpectNone("# a comment\nhosts = db\n  # another\n");
}

// A comment in SQL is not of that form, and # is an operator there.
TEST(PgsqlTableTraps, AHashSignInAQueryIsNone) {
  ExpectNone("additional_conditions = AND flags # 1 = 0\n");
}

TEST(PgsqlTableTraps, QuotesAroundAValue) {
  ExpectTrap("password = \"secret\"\n", "password: the quotes", "remove them");
  ExpectTrap("user = 'mail'\n", "user: the quotes", "remove them");
  ExpectTrap("result_format = \"smtp:[%s]\"\n", "result_format: the quotes", "remove them");
  ExpectNone("password = it's\n");
  ExpectNone("password = \"\n");
}

TEST(PgsqlTableTraps, QuotesAroundAQuery) {
  const ParsedTable parsed =
      ParsePgsqlTable("dbname = mail\nquery = \"SELECT '%s'\"\n", "t.cf", MailVersion{3, 12});
  EXPECT_NE(Messages(parsed).find("t.cf:2: warning: query: the quotes"), std::string::npos)
      << Messages(parsed);
}

TEST(PgsqlTableTraps, AVariableThatATemplateLeft) {
  for (const char* variable : {"${DB_HOST}", "{{ db.host }}", "<%= db_host %>", "<%host%>"}) {
    ExpectTrap(std::string("hosts = ") + variable + "\n", "variable of a template", "fill it in");
  }
  ExpectNone("password = a${b\n");
  ExpectNone("password = {{1}}\n");
}

TEST(PgsqlTableTraps, AnArrayInAQueryIsNone) {
  const ParsedTable parsed = ParsePgsqlTable(
      "dbname = mail\nquery = SELECT '{{1,2},{3,4}}'::int[] WHERE '%s' = $${x y}$$\n", "t.cf",
      MailVersion{3, 12});
  EXPECT_EQ(Messages(parsed), "");
}

TEST(PgsqlTableTraps, ASocketWhereItsDirectoryIsMeant) {
  ExpectTrap("hosts = db /run/postgresql/.s.PGSQL.5432\n", "hosts: a socket",
             "write /run/postgresql");
  ExpectTrap("hosts = unix:/run/pg/.s.PGSQL.5433, db\n", "hosts: a socket", "write /run/pg");
  ExpectNone("hosts = /run/postgresql unix:/run/pg db\n");
}

TEST(PgsqlTableTraps, SettingsOfOtherPrograms) {
  ExpectTrap("port = 5433\n", "\"port\"", "hosts = HOST:PORT");
  ExpectTrap("database = mail\n", "\"database\"", "dbname = NAME");
  ExpectTrap("sslmode = require\n", "\"sslmode\"", "nothing is required by this");
  ExpectTrap("ssl_ca = /etc/ca.pem\n", "\"ssl_ca\"", "nothing is required by this");
  ExpectTrap("tls_CAfile = /etc/ca.pem\n", "\"tls_CAfile\"", "nothing is required by this");
}

TEST(PgsqlTableTraps, NoSecretIsShown) {
  for (const char* line : {"password = \"hunter2\"\n", "password = hunter2 # old\n",
                           "password = ${hunter2}\n", "hosts = 'postgresql://u:hunter2@db/m'\n",
                           "hosts = postgresql://u:hunter2@/m?host=/run/pg/.s.PGSQL.5432\n"}) {
    const ParsedTable parsed = ParsePgsqlTable(
        std::string("dbname = mail\nquery = SELECT '%s'\n") + line, "t.cf", MailVersion{3, 12});
    EXPECT_EQ(Messages(parsed).find("hunter2"), std::string::npos) << Messages(parsed);
  }
}

}  // namespace
}  // namespace proxymux::config
