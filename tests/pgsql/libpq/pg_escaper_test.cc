// Escaping as a real PostgreSQL needs it, in the encoding and under the settings of the connection.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/libpq/pg_connection.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {
namespace {

TEST(Escaping, FollowsTheConnectionsEncoding) {
  Session utf8(Local("UTF8"));
  Session latin1(Local("LATIN1"));
  ASSERT_TRUE(utf8.Settled());
  ASSERT_TRUE(latin1.Settled());
  std::string out = "'";
  EXPECT_TRUE(utf8.connection->escaper().Escape("o'br\xc3\xafn\\", &out));
  EXPECT_EQ(out, "'o''br\xc3\xafn\\");
  for (const std::string bad : {"\xff", "\xc3", "x\xc3'"}) {
    out.clear();
    EXPECT_FALSE(utf8.connection->escaper().Escape(bad, &out)) << bad;
    out.clear();
    EXPECT_TRUE(latin1.connection->escaper().Escape(bad, &out)) << bad;
  }
  EXPECT_FALSE(utf8.connection->escaper().DoublesBackslashes());
  out.clear();
  EXPECT_TRUE(utf8.connection->escaper().Escape("", &out));
  EXPECT_EQ(out, "");
}

TEST(Escaping, FollowsStandardConformingStringsAsTheyChange) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  for (const bool conforming : {false, true}) {
    session.results.clear();
    session.Send(0,
                 std::string("SET standard_conforming_strings = ") + (conforming ? "on" : "off"));
    ASSERT_TRUE(session.connection->Sync() && session.Results(1));
    EXPECT_EQ(session.connection->escaper().DoublesBackslashes(), !conforming);
    std::string out;
    EXPECT_TRUE(session.connection->escaper().Escape("\\", &out));
    EXPECT_EQ(out, conforming ? "\\" : "\\\\");
  }
}

TEST(Escaping, KnowsTheCharactersOfTheEncoding) {
  const auto lengths = [](const std::string& encoding, const std::string& text) {
    Session session(Local(encoding));
    EXPECT_TRUE(session.Settled() && session.ready) << encoding;
    std::vector<std::size_t> found;
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(found.back())) {
      found.push_back(session.connection->escaper().CharacterLength(rest));
    }
    return found;
  };
  using Lengths = std::vector<std::size_t>;
  EXPECT_EQ(lengths("UTF8", "a\xe8\xa1\xa8\\"), (Lengths{1, 3, 1}));
  EXPECT_EQ(lengths("LATIN1", "\x95\\"), (Lengths{1, 1}));
  EXPECT_EQ(lengths("SJIS", "\x95\\\\\xb1\\"), (Lengths{2, 1, 1, 1}));
  EXPECT_EQ(lengths("GB18030", "\x81\x30\x81\x30\x81\\\x81"), (Lengths{4, 2, 1}));
  EXPECT_EQ(lengths("BIG5", "\xa5\\\\"), (Lengths{2, 1}));
}

}  // namespace
}  // namespace proxymux::pgsql
