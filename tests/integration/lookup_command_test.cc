// `proxymux lookup` beside `postmap -q`: the same answers and the same exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/harness/socket.h"
#include "tests/integration/lookup_programs.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using harness::TableText;
using testing::AllOf;
using testing::HasSubstr;

using LookupCommand = LookupPrograms;

TEST_F(LookupCommand, KeysThatAreThereAndKeysThatAreNot) {
  const std::string aliases = postfix_.Table("pgsql-aliases.cf");
  ExpectValue("user7@example7.com", aliases, "box7@store.example.net");
  ExpectValue("o'brien@example0.com", aliases, "box7@store.example.net");
  ExpectNoValue("nobody@example7.com", aliases);
  ExpectNoValue("x' OR 'a'='a", aliases);
  ExpectNoValue("-x", aliases);
  ExpectNoValue("", aliases);
}

TEST_F(LookupCommand, KeysThatNeedNoQuery) {
  ExpectValue("box9@store.example.net", postfix_.Table("pgsql-mailboxes.cf"),
              "store.example.net/box9/");
  ExpectNoValue("box9@elsewhere.example.net", postfix_.Table("pgsql-mailboxes.cf"));
  ExpectNoValue("store.example.net", postfix_.Table("pgsql-transport.cf"));
}

TEST_F(LookupCommand, AllRowsAndColumnsAreOneValue) {
  const std::string rows =
      NewTable("rows.cf", "SELECT address, id FROM mailbox WHERE id < 4 ORDER BY id",
               "result_format = <%s>\n");
  ExpectValue("x", rows,
              "<box1@store.example.net>,<1>,<box2@store.example.net>,<2>,"
              "<box3@store.example.net>,<3>");
  ExpectValue("x", NewTable("odd.cf", "VALUES ('one', NULL), ('', E'two\\nlines\\ttab')"),
              "one,two\nlines\ttab");
  ExpectNoValue("x", NewTable("nothing.cf", "SELECT NULL"));
}

TEST_F(LookupCommand, KeysAreFoldedUnlessToldOtherwise) {
  const std::string echo = NewTable("echo.cf", "SELECT '%s'");
  ExpectValue("User@Example.Com", echo, "user@example.com");
  ExpectValue("User@Example.Com", echo, "User@Example.Com", {"-f"});
  ExpectValue("User@Example.Com", echo, "user@example.com", {"-u"});
  ExpectValue("Müller-ÜBER", echo, "müller-über");
  ExpectValue("Müller-ÜBER", echo, "Müller-ÜBER", {"-f"});
  ExpectValue("Müller-ÜBER", echo, "müller-Über", {"-u"});
  ExpectValue("Müller-ÜBER", echo, "Müller-ÜBER", {"-u", "-f"});
}

TEST_F(LookupCommand, WithoutSmtputf8FoldingIsAscii) {
  auto options = postfix_.options();
  options.main_cf.push_back("smtputf8_enable = no");
  postfix_.WriteMainCf(options);
  const std::string echo = NewTable("echo.cf", "SELECT '%s'");
  ExpectValue("Müller-ÜBER", echo, "müller-Über");
  EXPECT_EQ(Ask("\xfcx", echo, {"-f"}).out, AskStock("\xfcx", echo, {"-f"}).out);
}

TEST_F(LookupCommand, BytesThatAreNoUtf8) {
  const std::string aliases = postfix_.Table("pgsql-aliases.cf");
  ExpectNoValue("\xff", aliases);
  ExpectNoValue("\xff", aliases, {"-u"});
  // What Postfix before 3.8 speaks in any case; one byte of it comes back.
  const std::string latin = NewTable("latin.cf", "SELECT chr(252)", "encoding = LATIN1\n");
  ExpectError("x", latin, {"not valid UTF-8"});
  ExpectValue("x", latin, "\xfc", {"-u"});
}

TEST_F(LookupCommand, AQueryThatFailsIsAnError) {
  ExpectValue("12", postfix_.Table("pgsql-id.cf"), "box12@store.example.net");
  ExpectError("abc", postfix_.Table("pgsql-id.cf"), {"\"abc\"", "22P02"});
  ExpectError("x", NewTable("wrong.cf", "SELECT nothing FROM nowhere"), {"nowhere", "42P01"});
  ExpectError("x", NewTable("many.cf", "VALUES ('a'), ('b')", "expansion_limit = 1\n"),
              {"expansion_limit"});
}

TEST_F(LookupCommand, ATableThatCannotBeUsedIsAnError) {
  ExpectError("x", NewTable("broken.cf", "SELECT 1", "this is garbage\n"),
              {Path("broken.cf") + ":6: error: "});
  ExpectError("x", NewTable("template.cf", "SELECT '%q'"), {Path("template.cf"), "query", "'%'"});
  ExpectError("x", postfix_.Table("missing.cf"),
              {Path("missing.cf") + ": error: cannot be read: No such file or directory"});
  ExpectError("x", "pgsql:", {"pgsql:/path/of/table.cf"});
}

TEST_F(LookupCommand, NoServerIsAnErrorThatNamesIt) {
  const std::string host = "127.0.0.1:" + std::to_string(harness::FreePort());
  postfix_.WriteConfig("down.cf", TableText(host, "SELECT 1"));
  ExpectError("x", postfix_.Table("down.cf"), {host, "refused", "no answer for now"});
  postfix_.WriteConfig("password.cf",
                       "hosts = " + world_.first().TcpHost() + "\nuser = " + harness::kMailRole +
                           "\npassword = not that\ndbname = " + harness::kMailDatabase +
                           "\nquery = SELECT 1\n");
  ExpectError("x", postfix_.Table("password.cf"), {"password authentication failed"});
}

TEST_F(LookupCommand, OneMirrorOfTwoIsEnough) {
  const std::string host = "127.0.0.1:" + std::to_string(harness::FreePort());
  postfix_.WriteConfig("half.cf",
                       TableText(host + " " + world_.second().TcpHost(), "SELECT 'here'"));
  for (int i = 0; i < 5; ++i) {
    const CommandResult result = Ask("x", postfix_.Table("half.cf"));
    EXPECT_EQ(result.out, "here\n") << result.err;
    EXPECT_EQ(result.status, 0);
  }
}

TEST_F(LookupCommand, ManyKeysOnStandardInput) {
  const std::string aliases = postfix_.Table("pgsql-aliases.cf");
  std::string keys;
  for (int user = 1; user <= 100; ++user) {
    keys += harness::AliasOf(user) + "\nNobody" + std::to_string(user) + "@example.com\n";
  }
  const CommandResult many = ExpectSame("-", aliases, {}, keys);
  EXPECT_THAT(many.out, testing::StartsWith("user1@example1.com\tbox1@store.example.net\n"));
  EXPECT_EQ(many.status, 0);
  for (const char* input :
       {"", "nobody@x\n", "\n", "user1@example1.com", "USER1@example1.com\n",
        " user1@example1.com\n", "user1@example1.com \n", "user1@example1.com\r\n",
        "\nuser1@example1.com\n\n", "# user1@example1.com\nuser2@example2.com\n",
        "\xff\nuser2@example2.com\n"}) {
    ExpectSame("-", aliases, {}, input);
    ExpectSame("-", aliases, {"-f"}, input);
    ExpectSame("-", aliases, {"-u"}, input);
  }
  ExpectSame("-", aliases, {}, std::string("user1@example1.com\0rest\n", 24));
  ExpectSame("-", postfix_.Table("missing.cf"), {}, "user1@example1.com\n");
}

// Stock ends there too, with what it had found still in its buffer.
TEST_F(LookupCommand, AKeyWithoutAnAnswerEndsTheInput) {
  const CommandResult ours = Ask("-", postfix_.Table("pgsql-id.cf"), {}, "12\nabc\n13\n");
  EXPECT_EQ(ours.out, "12\tbox12@store.example.net\n");
  EXPECT_THAT(ours.err, HasSubstr("\"abc\""));
  EXPECT_EQ(ours.status, 1);
  EXPECT_EQ(AskStock("-", postfix_.Table("pgsql-id.cf"), {}, "12\nabc\n13\n").status, 1);
}

TEST_F(LookupCommand, OtherMapTypesAreSentToPostmap) {
  for (const char* table : {"hash:/etc/aliases", "proxy:unix:passwd.byname", "inline:{a=b}"}) {
    const CommandResult result = Ask("a", table);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, AllOf(HasSubstr(table), HasSubstr("postmap -q")));
  }
}

TEST_F(LookupCommand, MistakesOnTheCommandLineAre2) {
  const std::string binary = std::filesystem::absolute(harness::ProxymuxBinary());
  for (const Words& words :
       {Words{"lookup"}, Words{"lookup", "key"}, Words{"lookup", "key", "pgsql:/x", "more"},
        Words{"lookup", "--explan", "key", "pgsql:/x"}}) {
    Words command = {binary};
    command.insert(command.end(), words.begin(), words.end());
    const CommandResult result = Run(command, "");
    EXPECT_EQ(result.status, 2) << result.err;
    EXPECT_NE(result.err, "");
  }
}

}  // namespace
}  // namespace proxymux::integration
