// Mistakes that `proxymux check` finds in files, each made in a set-up that is good otherwise.
#include <sys/stat.h>

#include <filesystem>

#include "tests/harness/process.h"
#include "tests/harness/temp_directory.h"
#include "tests/integration/check/check_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kNothingWrong = 0, kWarnings = 1, kErrors = 2;

class CheckFiles : public CheckWorld {
 protected:
  // Says the text, and has that exit status.
  void Expect(int status, const testing::Matcher<std::string>& said) {
    const CommandResult result = Offline();
    EXPECT_EQ(result.status, status) << result.out << result.err;
    EXPECT_THAT(result.out, said);
  }
  void ExpectNothing() { Expect(kNothingWrong, HasSubstr("7 pgsql tables, 0 errors, 0 warnings")); }

  std::string Good() { return harness::TableText(world_.Hosts(), kQuery); }
  // With the line of a setting in the place of the one that a good file has.
  void WriteWith(const std::string& setting, const std::string& value) {
    std::string text = Good();
    const std::size_t at = text.find(setting + " = ");
    ASSERT_NE(at, std::string::npos);
    const std::size_t end = text.find('\n', at);
    WriteTable(text.replace(at, end - at, setting + " = " + value));
  }
};

TEST_F(CheckFiles, GoodOnesAreNotTalkedAbout) { ExpectNothing(); }

TEST_F(CheckFiles, AQuoteThatIsNotClosed) {
  WriteWith("query", "SELECT address FROM relay_recipient WHERE address = '%s");
  Expect(kErrors, HasSubstr(InTable(5, "error") + "query: a quote that begins here"));
}

TEST_F(CheckFiles, AKeyOutsideOfQuotes) {
  WriteWith("query", "SELECT address FROM mailbox WHERE id = %s");
  Expect(kWarnings, HasSubstr(InTable(5, "warning") + "query: character "));
}

TEST_F(CheckFiles, AKeyWithinAComment) {
  WriteWith("query", "SELECT address FROM relay_recipient -- all\n  WHERE address = '%s'");
  Expect(kErrors, AllOf(HasSubstr(InTable(5, "error") + "query: all behind this -- is a comment"),
                        HasSubstr("every key has one answer")));
}

TEST_F(CheckFiles, ACommentBehindAValue) {
  WriteWith("hosts", "127.0.0.1 # the primary");
  Expect(kWarnings, HasSubstr(InTable(1, "warning") + "hosts: a # behind a value"));
  WriteWith("password", "secret # as in the vault");
  Expect(kWarnings, HasSubstr(InTable(3, "warning") + "password: a # behind a value"));
}

TEST_F(CheckFiles, QuotesAroundAValue) {
  WriteWith("password", "\"secret\"");
  Expect(kWarnings, HasSubstr(InTable(3, "warning") + "password: the quotes"));
}

TEST_F(CheckFiles, AVariableThatWasNotFilledIn) {
  WriteWith("hosts", "${DB_HOST}");
  Expect(kWarnings, HasSubstr(InTable(1, "warning") + "hosts: the value holds"));
}

TEST_F(CheckFiles, AByteOrderMark) {
  WriteTable("\xef\xbb\xbf" + Good());
  Expect(kWarnings, HasSubstr(InTable(1, "warning") + "a byte order mark"));
}

TEST_F(CheckFiles, ASocketWhereItsDirectoryIsMeant) {
  WriteWith("hosts", "unix:/run/postgresql/.s.PGSQL.5432");
  Expect(kWarnings, AllOf(HasSubstr(InTable(1, "warning") + "hosts: a socket"),
                          HasSubstr("write /run/postgresql\n")));
}

TEST_F(CheckFiles, SettingsThatNoReleaseReads) {
  for (const auto& [name, instead] :
       std::vector<std::pair<std::string, std::string>>{{"port", "hosts = HOST:PORT"},
                                                        {"database", "dbname = NAME"},
                                                        {"sslmode", "nothing is required by this"},
                                                        {"ssl_ca", "nothing is required by this"},
                                                        {"querry", "did you mean \"query\"?"}}) {
    WriteTable(Good() + name + " = x\n");
    Expect(kWarnings, AllOf(HasSubstr(InTable(6, "warning") + "unknown setting \"" + name +
                                      "\"; it is ignored"),
                            HasSubstr(instead)));
  }
}

TEST_F(CheckFiles, ConnectionUris) {
  WriteTable("hosts = postgresql://u:p@h/d?sslmode=verify\ndbname = d\nquery = SELECT '%s'\n");
  Expect(kErrors, HasSubstr(InTable(1, "error") + "a connection string has an sslmode that"));
  WriteTable("hosts = postgresql://u:p@ss@h/d\ndbname = d\nquery = SELECT '%s'\n");
  EXPECT_THAT(Offline().out, HasSubstr("write %40 for"));
}

TEST_F(CheckFiles, CertificatesThatTheServiceCannotRead) {
  const std::string ca = Path("ca.pem");
  const auto uri = [&](const std::string& mode) {
    WriteTable("hosts = postgresql://u@h/d?sslmode=" + mode + "&sslrootcert=" + ca +
               "\ndbname = d\nquery = SELECT '%s'\n");
  };
  uri("verify-full");
  Expect(kErrors, HasSubstr(InTable(1, "error") + "sslrootcert " + ca + ": No such file"));
  uri("require");
  Expect(kWarnings, HasSubstr(InTable(1, "warning") + "sslrootcert " + ca + ": No such file"));
  harness::WriteFile(ca, "");
  ::chmod(ca.c_str(), 0600);
  Expect(kErrors, HasSubstr("sslrootcert " + ca + ": postfix cannot read it"));
  ::chmod(ca.c_str(), 0644);
  Expect(kNothingWrong, Not(HasSubstr("ca.pem")));
}

TEST_F(CheckFiles, WhoCanReadATable) {
  postfix_.WriteConfig(kTable, Good(), 0600);
  Expect(kWarnings, HasSubstr(Path(kTable) + ": warning: postfix cannot read it"));
  postfix_.WriteConfig(kTable, Good(), 0644);
  Expect(kWarnings, HasSubstr(Path(kTable) + ": warning: everybody on this machine can read it"));
}

TEST_F(CheckFiles, ATableInMainCfWithAPassword) {
  harness::PostfixInstance::Options options = postfix_.options();
  options.approved.push_back("pgsql:mine");
  options.main_cf = {"mine_hosts = " + world_.Hosts(), "mine_dbname = mail", "mine_user = mail",
                     std::string("mine_password = ") + harness::kMailPassword,
                     "mine_query = SELECT '%s'"};
  postfix_.WriteMainCf(options);
  Expect(kWarnings, AllOf(HasSubstr(Path("main.cf") + ": warning: everybody on this machine"),
                          HasSubstr("write the table into a file of its own")));
}

TEST_F(CheckFiles, TablesWithoutProxy) {
  Set({"virtual_alias_maps = " + postfix_.Table("pgsql-aliases.cf")});
  Expect(kWarnings, AllOf(HasSubstr("virtual_alias_maps names pgsql:"), HasSubstr("without proxy"),
                          HasSubstr("write proxy:pgsql:")));
}

TEST_F(CheckFiles, TablesThatAreNotApproved) {
  const std::string other = "proxy:" + postfix_.Table("other.cf");
  for (const std::string& setting :
       {"sender_canonical_maps = " + other, "canonical_maps = unionmap:{" + other + "}",
        "smtpd_sender_restrictions = check_sender_access " + other}) {
    Set({setting});
    Expect(kErrors, AllOf(HasSubstr(" names " + other + ", which proxy_read_maps does not approve"),
                          HasSubstr("main.cf:")));
  }
  Set({"smtpd_restriction_classes = strict", "strict = check_sender_access " + other});
  EXPECT_THAT(Offline().out, Not(HasSubstr("does not approve"))) << "a class approves its tables";
}

TEST_F(CheckFiles, ATableWithinAnotherOne) {
  Set({"canonical_maps = proxy:unionmap:{" + postfix_.Table(kTable) + "}",
       "proxy_read_maps = $canonical_maps " + std::string("proxy:") + postfix_.Table(kTable)});
  EXPECT_THAT(Offline().out, HasSubstr("within a table behind proxy: a stock proxymap answers it"));
}

TEST_F(CheckFiles, ATableThatOnlyOneServiceUses) {
  Append("master.cf", "submission inet n - n - - smtpd\n  -o smtpd_sender_login_maps=proxy:" +
                          postfix_.Table("other.cf") + "\n");
  Expect(kErrors, HasSubstr(": error: smtpd_sender_login_maps of the service submission names "));
}

TEST_F(CheckFiles, TheLineOfMasterCf) {
  Replace("master.cf", "proxymap unix - - n", "proxymap unix - - y");
  Expect(kErrors, AllOf(HasSubstr("master.cf:"), HasSubstr("it would run in a chroot")));
}

TEST_F(CheckFiles, ALineOfAnotherTypeThanTheProgramServes) {
  Replace("master.cf", "proxymap unix - - n", "proxymap inet - - n");
  Expect(kErrors, HasSubstr("its type is inet, and the program serves UNIX-domain sockets only"));
}

TEST_F(CheckFiles, WhatIsWrittenGoesToAnotherService) {
  Set({"postscreen_cache_map = proxy:btree:" + Path("cache")});
  ExpectNothing();
  Set({"postscreen_cache_map = proxy:btree:" + Path("cache"), "proxy_write_maps ="});
  Expect(kErrors, HasSubstr("which proxy_write_maps does not approve"));
}

TEST_F(CheckFiles, ADefaultThatIsNotApproved) {
  std::string main_cf = Text("main.cf");
  const std::string own = "local_recipient_maps =\n";
  ASSERT_NE(main_cf.find(own), std::string::npos);
  postfix_.WriteConfig("main.cf", main_cf.erase(main_cf.find(own), own.size()), 0644);
  ExpectNothing();
  main_cf = Text("main.cf");
  const std::string approval = "proxy:unix:passwd.byname ";
  ASSERT_NE(main_cf.find(approval), std::string::npos);
  postfix_.WriteConfig("main.cf", main_cf.erase(main_cf.find(approval), approval.size()), 0644);
  Expect(kWarnings, HasSubstr("warning: local_recipient_maps by default names "
                              "proxy:unix:passwd.byname, which proxy_read_maps does not approve"));
}

TEST_F(CheckFiles, ALineOfMasterCfThatIsRepeated) {
  Append("master.cf", "proxymap unix - - n - - proxymap\n");
  Expect(kErrors, HasSubstr("the service proxymap (unix) is defined again in line "));
}

TEST_F(CheckFiles, ASettingOfOursThatIsMisspelt) {
  postfix_.WriteConfig("proxymux.yaml", "pool: {conections: 4}\n");
  Expect(kErrors, AllOf(HasSubstr("proxymux.yaml:1:8: error: "), HasSubstr("connections")));
}

TEST_F(CheckFiles, OneMistakeInSeveralFilesIsOneFinding) {
  for (const char* file : {"pgsql-relay.cf", "pgsql-id.cf", "pgsql-aliases.cf"}) {
    postfix_.WriteConfig(file, Text(file) + "port = 5433\n");
  }
  Expect(kWarnings, AllOf(HasSubstr("(also "), HasSubstr("7 pgsql tables, 0 errors, 1 warning")));
}

TEST_F(CheckFiles, FromAnotherDirectory) {
  harness::CommandOptions options;
  options.directory = postfix_.config_directory();
  const CommandResult result = harness::RunCommand(
      {std::filesystem::absolute(harness::ProxymuxBinary()), "check", "--offline", "-c", "."},
      options);
  EXPECT_EQ(result.status, kNothingWrong) << result.out << result.err;
  options.directory.clear();
  options.environment["MAIL_CONFIG"] = postfix_.config_directory();
  EXPECT_THAT(harness::RunCommand({harness::ProxymuxBinary(), "check", "--offline"}, options).out,
              HasSubstr("7 pgsql tables, 0 errors"));
}

TEST_F(CheckFiles, AsJson) {
  WriteTable(Good() + "port = 5433\n");
  const CommandResult result = Run({"--offline", "--json"});
  EXPECT_EQ(result.status, kWarnings);
  const auto document = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_TRUE(document.is_object()) << result.out;
  EXPECT_EQ(document["tables"], 7);
  EXPECT_EQ(document["errors"], 0);
  EXPECT_EQ(document["warnings"], 1);
  EXPECT_EQ(document["connected"], false);
  EXPECT_EQ(document["findings"][0]["severity"], "warning");
  EXPECT_EQ(document["findings"][0]["places"][0]["file"], Path(kTable));
  EXPECT_EQ(document["findings"][0]["places"][0]["line"], 6);
}

TEST_F(CheckFiles, WithoutMainCf) {
  const CommandResult result =
      harness::RunCommand({harness::ProxymuxBinary(), "check", "-c", "/nonexistent"});
  EXPECT_EQ(result.status, kErrors);
  EXPECT_THAT(result.out, HasSubstr("/nonexistent/main.cf: error: "));
}

}  // namespace
}  // namespace proxymux::integration
