// No key changes the tokens of its query, on a real server: keys made to break out of every place
// that a placeholder can stand in, in several encodings, under both settings of
// standard_conforming_strings and while it is being switched. One row, the canary, is never asked
// for: no answer may hold it, and it must be there at the end.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "pgsql/sql/key_parts.h"
#include "pgsql/sql/query_template.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {
namespace {

constexpr char kCanary[] = "the-canary";
constexpr char kAddress[] = "other@example.com";

const char* const kQueries[] = {
    "SELECT goto FROM canary WHERE address = '%s'",
    "SELECT goto FROM canary WHERE address = '%u' OR address = 'x@%d'",
    "SELECT goto FROM canary WHERE address = '%u@-%d' AND goto ~ '\\.'",
    "SELECT goto FROM canary WHERE address = 'it''s' '\n'%s'",
    "SELECT goto FROM canary WHERE address = 'a\\%s' OR address = '%s'",
    "SELECT 'a\\', goto FROM canary WHERE address = '%s'",
    "SELECT '%s\\', '%u', goto FROM canary WHERE address = '\\'",
    "SELECT goto FROM canary WHERE address LIKE'%s'AND goto <> ''",
    "SELECT goto FROM canary WHERE address = E'%s'",
    "SELECT goto FROM canary WHERE address = E'\\%s'",
    "SELECT goto FROM canary WHERE address = E'\\\\%s' OR goto = E'\\'%u'",
    "SELECT goto FROM canary WHERE address = U&'%s'",
    "SELECT goto FROM canary WHERE address = U&'!%s' UESCAPE '!'",
    "SELECT goto FROM canary WHERE address = N'%s'",
    "SELECT goto FROM canary WHERE address = N'\\%s'",
    "SELECT goto FROM canary WHERE address = X'%s'::text",
    "SELECT goto FROM canary WHERE address = B'%u'::text",
    "SELECT goto FROM canary WHERE address = $$%s$$",
    "SELECT goto FROM canary WHERE address = $t$%s$t$",
    "SELECT goto FROM canary WHERE address = $t%s$%s$t%s$",
    "SELECT \"%u\" FROM canary WHERE address = 'nobody'",
    "SELECT 1 AS U&\"%u\"",
    "SELECT /* %s */ goto FROM canary WHERE address = 'nobody'",
    "SELECT /* /* %s */ */ goto FROM canary WHERE address = '%s'",
    "SELECT goto -- %s\n FROM canary WHERE address = '%s'",
    "SELECT goto FROM canary WHERE address = 'nobody' -- %s",
    "SELECT goto FROM canary WHERE number = %s",
    "SELECT goto FROM canary WHERE number = 3-%u AND address = '%s'",
    "SELECT goto FROM canary WHERE number = 8/%u*0x%u LIMIT 10",
    "SELECT goto FROM canary WHERE number = %u%d.%1",
    "SELECT goto FROM canary WHERE address = '\x95%s'",
    "SELECT goto FROM canary WHERE address = E'\x95\x5c', '%s'",
};

// What is made to break out of one of these places.
const char* const kAttacks[] = {
    "x' or true -- @x",
    "\\' or true -- @x",
    "\\\\' or true -- @x",
    " or true -- @x",
    " || goto from canary -- @x",
    ", goto from canary -- @x",
    "*/ goto from canary where address=$$other@example.com$$ -- @x",
    "*/*/ goto from canary -- @x",
    "/* @x",
    "* @x",
    "x$$ or address=$$other@example.com",
    "$$ or true -- @x",
    "$t$ or true -- @x",
    "$ or true -- $x@x",
    "x\" , goto from canary where goto = $$the-canary$$ -- @x",
    "goto\" from canary where goto = $$the-canary$$ -- @x",
    "1\n, goto from canary where true or @x",
    "\r , goto from canary -- @x",
    "1 or true",
    "-1 or true",
    "1/**/or/**/true",
    "-1",
    "-1@-1",
    "1@2",
    "-@1",
    "1e5@1",
    "0' or true or '@x",
    "0'::text or true -- @x",
    "'; drop table canary; -- @x",
    "; drop table canary; -- @x",
    "*/ drop table canary; -- @x",
    "\x81' or true -- @x",
    "\x95\x5c' or true -- @x",
    "\xa5\x5c\\' or true -- @x",
    "\xe3' or true -- @x",
    "\xe3\x81' or true -- @x",
    "\xc0\xa7 or true -- @x",
    "\\@\\",
    "a\\@' or true -- ",
    "\x81@ or true -- ",
    "'@' or true -- ",
};

const char* const kFragments[] = {
    "'",
    "''",
    "\\",
    "\\'",
    "$$",
    "$t$",
    "$",
    "*/",
    "/*",
    "--",
    "\n",
    "\r",
    "\"",
    "%",
    "%s",
    ";",
    " or true ",
    "=",
    "goto",
    "0",
    "1",
    "-",
    "E'",
    "U&'",
    "N'",
    "x",
    ")",
    "(",
    ",",
    "||",
    " from canary ",
    "@",
    "@",
    " ",
    "\x81",
    "\x95\x5c",
    "\xa5\x5c",
    "\xe8\xa1\xa8",
    "\xc3",
    "\xe3\x81",
    "\xff",
    "where true --",
};

std::string RandomKey(std::mt19937* random) {
  std::string key;
  const std::size_t pieces = 1 + (*random)() % 8;
  for (std::size_t i = 0; i < pieces; ++i) key += kFragments[(*random)() % std::size(kFragments)];
  return key;
}

// Under what a statement is lexed, and what was known of that when it was written.
enum class Strings { kOn, kOff, kSwitchedOff, kSwitchedOn };

const char* Value(bool on) {
  return on ? "SET standard_conforming_strings = on" : "SET standard_conforming_strings = off";
}

class Canary : public testing::Test {
 protected:
  static constexpr std::size_t kAtOnce = 16;

  void SetUp() override {
    Cluster().Sql("postgres",
                  "DROP TABLE IF EXISTS canary; CREATE TABLE canary (address text PRIMARY KEY,"
                  " goto text, number int); INSERT INTO canary VALUES ('" +
                      std::string(kAddress) + "', '" + kCanary + "', 77)");
  }
  void TearDown() override {
    EXPECT_EQ(Cluster().Sql("postgres", "SELECT goto FROM canary"), kCanary);
  }

  // Asks every query for every key.
  void Ask(const std::string& encoding, Strings strings, const std::vector<std::string>& keys) {
    Session session(Local(encoding));
    ASSERT_TRUE(session.Settled() && session.ready) << session.failure.text;
    const bool known = strings == Strings::kOn || strings == Strings::kSwitchedOff;
    const bool real = strings == Strings::kOn || strings == Strings::kSwitchedOn;
    session.Send(0, Value(known));
    ASSERT_TRUE(session.connection->Sync() && session.Results(1));
    for (const char* query : kQueries) {
      auto compiled = QueryTemplate::Compile(query, UnquotedValues::kNumbers);
      ASSERT_TRUE(std::holds_alternative<QueryTemplate>(compiled)) << query;
      const auto& ready = std::get<QueryTemplate>(compiled);
      std::vector<std::string> texts;
      for (const std::string& key : keys) {
        const KeyParts parts(key);
        if (FirstMissing(ready.requirements(), parts) != Missing::kNothing) continue;
        std::string text;
        if (ready.AppendText(parts, session.connection->escaper(), &text) != Expansion::kDone) {
          continue;
        }
        texts.push_back(text);
        if (texts.size() == kAtOnce) Send(&session, known, real, &texts);
      }
      Send(&session, known, real, &texts);
      ASSERT_FALSE(session.lost) << session.reason;
    }
  }

  std::size_t sent_ = 0;

 private:
  // One batch each, in which the setting changes first when it is not what was known.
  void Send(Session* session, bool known, bool real, std::vector<std::string>* texts) {
    session->results.clear();
    session->order.clear();
    std::size_t work = 0;
    for (const std::string& text : *texts) {
      if (known != real) session->Send(work++, Value(real));
      session->Send(work++, text);
      ASSERT_TRUE(session->connection->Sync());
      if (known == real) continue;
      session->Send(work++, Value(known));
      ASSERT_TRUE(session->connection->Sync());
    }
    ASSERT_TRUE(session->Results(work)) << session->reason;
    const std::size_t step = known == real ? 1 : 3;
    for (std::size_t i = 0; i < texts->size(); ++i) {
      const std::string& result = session->results[i * step + (step == 3 ? 1 : 0)];
      EXPECT_EQ(result.find(kCanary), std::string::npos) << (*texts)[i];
    }
    sent_ += texts->size();
    texts->clear();
  }
};

TEST_F(Canary, IsThereToBeFound) {
  Session session(Local());
  ASSERT_TRUE(session.Settled() && session.ready) << session.failure.text;
  const auto compiled = QueryTemplate::Compile(kQueries[0], UnquotedValues::kNumbers);
  std::string text;
  ASSERT_EQ(std::get<QueryTemplate>(compiled).AppendText(KeyParts(kAddress),
                                                         session.connection->escaper(), &text),
            Expansion::kDone);
  session.Send(0, text);
  ASSERT_TRUE(session.connection->Sync() && session.Results(1));
  EXPECT_EQ(session.results[0], kCanary);
}

TEST_F(Canary, IsNeverAnswered) {
  std::mt19937 random(20260726);
  std::vector<std::string> keys(std::begin(kAttacks), std::end(kAttacks));
  for (int i = 0; i < 40; ++i) keys.push_back(RandomKey(&random));
  for (const char* encoding : {"UTF8", "LATIN1", "SJIS", "GBK", "BIG5"}) {
    for (const Strings strings :
         {Strings::kOn, Strings::kOff, Strings::kSwitchedOff, Strings::kSwitchedOn}) {
      SCOPED_TRACE(std::string(encoding) + " " + std::to_string(static_cast<int>(strings)));
      Ask(encoding, strings, keys);
    }
  }
  EXPECT_GT(sent_, 10000U);  // of all those, a key that may not stand there is not sent
}

}  // namespace
}  // namespace proxymux::pgsql
