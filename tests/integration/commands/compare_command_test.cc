// `proxymux compare` on a Postfix that does not run: stock's postmap beside `proxymux lookup`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/harness/temp_directory.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kSame = 0, kDifferent = 1, kNothing = 2;

class CompareCommand : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  CommandResult Compare(Words words, const std::string& input = "") {
    Words command = {harness::ProxymuxBinary(), "compare", "-c", postfix_.config_directory()};
    command.insert(command.end(), words.begin(), words.end());
    harness::CommandOptions options;
    options.input = input;
    options.limit = harness::seconds(300);
    return harness::RunCommand(command, options);
  }
  void WriteTable(const std::string& query) {
    postfix_.WriteConfig("one.cf", harness::TableText(world_.Hosts(), query));
  }
  std::string One() { return postfix_.Table("one.cf"); }

  MailWorld& world_ = MailWorld::Instance();
  harness::PostfixInstance postfix_{world_.NewDirectory(),
                                    world_.Options(harness::Service::kInPlace)};
};

TEST_F(CompareCommand, EveryApprovedTableGivesTheSame) {
  // With an address its id is an error, and each costs postmap a second.
  postfix_.WriteConfig(
      "pgsql-id.cf",
      harness::TableText(world_.Hosts(), "SELECT address FROM mailbox WHERE id::text = '%s'"));
  std::string keys;
  for (int row = 1; row <= 20; ++row) {
    keys += harness::AliasOf(row) + "\n" + harness::AddressOf(row) + "\nnobody" +
            std::to_string(row) + "@nowhere.example\n";
  }
  const CommandResult result = Compare({"--keys", "-", "--rate", "10000"}, keys);
  EXPECT_EQ(result.status, kSame) << result.out << result.err;
  for (const auto& table : postfix_.options().tables) {
    EXPECT_THAT(result.out, HasSubstr(postfix_.Table(table.name) + ": 60 keys: "));
  }
  EXPECT_THAT(result.out, HasSubstr(postfix_.Table("pgsql-aliases.cf") +
                                    ": 60 keys: 20 found by both, 40 by neither, 0 differences"));
}

TEST_F(CompareCommand, KeysOfAMailLog) {
  const std::string log = "Nov 30 10:00:00 mx postfix/virtual[3]: 4B3: to=<" +
                          harness::AddressOf(3) + ">, orig_to=<" + harness::AliasOf(3) +
                          ">, relay=virtual, status=sent\n";
  const CommandResult result =
      Compare({"--from-log", "-", postfix_.Table("pgsql-aliases.cf")}, log);
  EXPECT_EQ(result.status, kSame) << result.err;
  EXPECT_THAT(result.out, HasSubstr(": 6 keys: 1 found by both, 5 by neither"));
}

TEST_F(CompareCommand, DifferencesAreListed) {
  WriteTable("SELECT 1 + random() WHERE '%s' = 'a'");
  const CommandResult result = Compare({"--keys", "-", One()}, "a\nb\n");
  EXPECT_EQ(result.status, kDifferent);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("0 found by both, 1 by neither, 1 differences"),
                    HasSubstr("\n  key \"a\": stock: \"1."), HasSubstr("\"; proxymux: \"1.")));
}

TEST_F(CompareCommand, AKeyWithoutAnAnswerIsNotTheEndOfTheOthers) {
  WriteTable("SELECT 1 / length('%s') WHERE '%s' <> '' AND 1 / (length('%s') - 3) < 9");
  const CommandResult result = Compare({"--keys", "-", One()}, "a\nbbb\ncc\n");
  EXPECT_EQ(result.status, kSame) << result.out << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr(": 3 keys: 2 found by both"), HasSubstr("1 errors of both"),
                    HasSubstr("key \"bbb\": both: error: "), HasSubstr("no answer for now")));
}

TEST_F(CompareCommand, ATableThatCannotBeUsedIsNotTheSame) {
  postfix_.WriteConfig("one.cf", "no equals sign\n");
  const CommandResult result = Compare({"--keys", "-", One()}, "a\n");
  EXPECT_EQ(result.status, kDifferent);
  EXPECT_THAT(result.out, AllOf(HasSubstr("one.cf"), HasSubstr("no answer to any key")))
      << result.err;
}

// As the service, which is not root.
TEST_F(CompareCommand, AsksWithTheRightsOfMailOwner) {
  postfix_.WriteConfig("one.cf", harness::TableText(world_.Hosts(), "SELECT '%s'"), 0600);
  const CommandResult result = Compare({"--keys", "-", "proxy:" + One()}, "a\n");
  EXPECT_EQ(result.status, kDifferent);
  EXPECT_THAT(result.out, AllOf(HasSubstr("stock: error: "), HasSubstr("Permission denied")));
}

TEST_F(CompareCommand, WithoutStocksClientThereIsNothingToCompare) {
  const std::string main_cf = harness::ReadFile(postfix_.config_directory() + "/main.cf");
  const std::string programs = world_.NewDirectory();
  std::filesystem::create_directory(programs);
  std::filesystem::create_symlink("/usr/sbin/postconf", programs + "/postconf");
  postfix_.WriteConfig("main.cf", main_cf + "\ncommand_directory = " + programs + "\n", 0644);
  const CommandResult result = Compare({"--keys", "-", One()}, "a\nb\n");
  EXPECT_EQ(result.status, kNothing);
  EXPECT_THAT(result.err, HasSubstr("/postmap"));
}

TEST_F(CompareCommand, TablesOfTheLineThatRunsIt) {
  std::string master_cf = harness::ReadFile(postfix_.config_directory() + "/master.cf");
  postfix_.WriteConfig("master.cf", master_cf + "  -o proxy_read_maps=proxy:" + One() + "\n", 0644);
  WriteTable("SELECT '%s'");
  EXPECT_THAT(Compare({"--keys", "-"}, "a\n").out, HasSubstr("one.cf: 1 keys: 1 found by both"));
}

TEST_F(CompareCommand, WithoutKeysOrTablesThereIsNothingToCompare) {
  EXPECT_EQ(Compare({}).status, kNothing);
  EXPECT_THAT(Compare({"--keys", "/etc/passwd", "--from-log", "/etc/passwd"}).err,
              HasSubstr("excludes"));
  EXPECT_THAT(Compare({"--keys", "/etc/passwd", "hash:/etc/aliases"}).err,
              HasSubstr("hash:/etc/aliases: is no pgsql table"));
  EXPECT_THAT(Compare({"--from-log", "-"}, "x\n").err, HasSubstr("has no addresses"));
  EXPECT_THAT(Compare({"--keys", "/nonexistent"}).err, HasSubstr("No such file"));
  EXPECT_THAT(Compare({"--keys", "-"}, "\n").err, HasSubstr("-: has no keys"));
  const CommandResult nowhere = harness::RunCommand(
      {harness::ProxymuxBinary(), "compare", "-c", "/nonexistent", "--keys", "/etc/hostname"});
  EXPECT_EQ(nowhere.status, kNothing);
  EXPECT_THAT(nowhere.err, AllOf(HasSubstr("/nonexistent"), Not(HasSubstr("terminate"))));
}

}  // namespace
}  // namespace proxymux::integration
