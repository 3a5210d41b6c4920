// Table files that are missing, broken, changed, mended; tables that nobody approved; databases
// that are not there yet. What is wrong with one table touches no other.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::Describe;
using harness::Eventually;
using harness::milliseconds;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;
using protocol::Status;

class TableFiles : public testing::Test {
 protected:
  TableFiles() : options_(world_.Options(Service::kInPlace)) {}

  // `approved` are names in the configuration directory that need not exist.
  void Start(const std::vector<std::string>& approved = {}) {
    const std::string directory = world_.NewDirectory();
    for (const auto& name : approved)
      options_.approved.push_back("pgsql:" + directory + "/etc/" + name);
    postfix_ = std::make_unique<PostfixInstance>(directory, options_);
    if (prepare_) prepare_();
    postfix_->Start();
    client_ = std::make_unique<ProxymapClient>(postfix_->SocketPath());
  }

  Answer Lookup(const std::string& name, const std::string& key) {
    return client_->Lookup(postfix_->Table(name), key);
  }
  void ExpectGoodTable() {
    const Answer answer = Lookup("pgsql-aliases.cf", harness::AliasOf(3));
    EXPECT_TRUE(answer.IsValue(harness::AddressOf(3))) << Describe(answer);
  }
  // CONFIG for lookups, and an open reply like that of a good table.
  void ExpectBroken(const std::string& name) {
    const Answer open = client_->Open(postfix_->Table(name));
    EXPECT_TRUE(open.Is(Status::kOk)) << Describe(open);
    EXPECT_EQ(open.flags, 16u);
    const Answer answer = Lookup(name, "key");
    EXPECT_TRUE(answer.Is(Status::kConfig)) << name << ": " << Describe(answer);
    EXPECT_TRUE(postfix_->WaitForLog(name)) << postfix_->Log();
    ExpectGoodTable();
  }

  static std::string Constant(const std::string& value) {
    return harness::TableText(MailWorld::Instance().Hosts(), "SELECT '" + value + "'");
  }

  MailWorld& world_ = MailWorld::Instance();
  PostfixInstance::Options options_;
  std::function<void()> prepare_;  // between configuration and start
  std::unique_ptr<PostfixInstance> postfix_;
  std::unique_ptr<ProxymapClient> client_;
};

TEST_F(TableFiles, MissingFileBreaksItsTableOnly) {
  Start({"missing.cf"});
  ExpectBroken("missing.cf");
}

TEST_F(TableFiles, MissingFileIsInUseAsSoonAsItIsThere) {
  Start({"later.cf"});
  ExpectBroken("later.cf");
  postfix_->WriteConfig("later.cf", Constant("here"));
  EXPECT_TRUE(Eventually([&] { return Lookup("later.cf", "k").IsValue("here"); }, seconds(1)));
}

TEST_F(TableFiles, DirectoryInPlaceOfAFileBreaksItsTableOnly) {
  prepare_ = [&] { std::filesystem::create_directory(postfix_->config_directory() + "/dir.cf"); };
  Start({"dir.cf"});
  ExpectBroken("dir.cf");
}

// A line without `=` in any table file makes postconf fail as a whole, and with it `postfix
// reload`. A process that starts then, after a crash for one, must find its configuration all the
// same.
TEST_F(TableFiles, MalformedFileBreaksItsTableOnlyAlsoForAProcessThatStarts) {
  options_.tables.push_back({"malformed.cf", Constant("x")});
  Start();
  ExpectGoodTable();
  postfix_->WriteConfig("malformed.cf", "hosts = 127.0.0.1\nthis line has no equals sign\n");
  ASSERT_NE(harness::RunCommand(
                {"/usr/sbin/postconf", "-c", postfix_->config_directory(), "-x", "proxy_read_maps"})
                .status,
            0);
  const auto pids = postfix_->Pids("proxymux");
  ASSERT_EQ(pids.size(), 1u);
  ::kill(pids[0], SIGKILL);
  ASSERT_TRUE(client_->Closed());
  client_ = std::make_unique<ProxymapClient>(postfix_->SocketPath());
  ExpectBroken("malformed.cf");
  EXPECT_TRUE(postfix_->WaitForLog("malformed.cf:2")) << postfix_->Log();
  EXPECT_TRUE(client_->Lookup("unix:passwd.byname", "root").Is(Status::kOk));
}

TEST_F(TableFiles, QueryThatIsNoTemplateBreaksItsTableOnly) {
  options_.tables.push_back({"template.cf", harness::TableText(world_.Hosts(), "SELECT '%x'")});
  options_.tables.push_back({"number.cf", Constant("x") + "expansion_limit = few\n"});
  Start();
  ExpectBroken("template.cf");
  ExpectBroken("number.cf");
}

// Tables share connections: what one leaves in the session must not change another's answers.
TEST_F(TableFiles, QueryThatChangesTheSessionChangesNoOtherTable) {
  options_.tables.push_back(
      {"moves.cf",
       harness::TableText(world_.Hosts(), "SET search_path TO pg_catalog; SELECT '%s'")});
  options_.tables.push_back(
      {"open.cf", harness::TableText(world_.Hosts(), "BEGIN; SELECT 1/(length('%s') - 3)")});
  options_.yaml = "pool: {connections: 1}\n";
  Start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Lookup("moves.cf", "here").IsValue("here"));
    ExpectGoodTable();
    EXPECT_TRUE(Lookup("open.cf", "abc").Is(Status::kRetry)) << "division by zero";
    ExpectGoodTable();
  }
}

TEST_F(TableFiles, QueryThatTheServerRefusesIsAConfigurationError) {
  options_.tables.push_back(
      {"refused.cf", harness::TableText(world_.Hosts(), "SELECT nothing FROM nowhere")});
  Start();
  const Answer answer = Lookup("refused.cf", "key");
  EXPECT_TRUE(answer.Is(Status::kConfig)) << Describe(answer);
  EXPECT_TRUE(postfix_->WaitForLog("nowhere")) << postfix_->Log();
  ExpectGoodTable();
}

TEST_F(TableFiles, FileThatOnlyRootMayReadIsReadAtTheStart) {
  prepare_ = [&] { ::chmod((postfix_->config_directory() + "/pgsql-relay.cf").c_str(), 0600); };
  Start();
  EXPECT_TRUE(Lookup("pgsql-relay.cf", "relay1@relay.example.org").Is(Status::kOk));
  // A reload cannot read it any more; it has not changed, so nothing is wrong with the table.
  ASSERT_EQ(postfix_->Pids("proxymux").size(), 1u);
  ::kill(postfix_->Pids("proxymux")[0], SIGHUP);
  EXPECT_TRUE(postfix_->WaitForLog("what was read at the start stays in use")) << postfix_->Log();
  EXPECT_TRUE(Lookup("pgsql-relay.cf", "relay1@relay.example.org").Is(Status::kOk));
  EXPECT_TRUE(postfix_->LogLinesWith({"the new version is broken"}).empty()) << postfix_->Log();
}

// The service has given up root by then: the table's text is that of the start, its connection not.
TEST_F(TableFiles, StrongerTlsReachesATableThatOnlyRootMayRead) {
  const std::string key = world_.NewDirectory() + ".key", certificate = key + ".pem";
  harness::RunOrThrow({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                       "/CN=test", "-keyout", key, "-out", certificate});
  harness::RunOrThrow({"chown", "postgres", key, certificate});
  harness::PostgresCluster::Options with_tls;
  with_tls.settings = {"ssl = on", "ssl_key_file = '" + key + "'",
                       "ssl_cert_file = '" + certificate + "'"};
  harness::PostgresCluster server(world_.NewDirectory(), with_tls);
  server.Start();
  harness::CreateMailDatabase(server, 1);
  options_.tables.push_back(
      {"tls.cf", harness::TableText(server.TcpHost(),
                                    "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")});
  const std::string pool = "pools: {\"" + std::string(harness::kMailRole) + "@" + server.TcpHost() +
                           "/" + harness::kMailDatabase + "\": {sslmode: ";
  options_.yaml = pool + "disable}}\n";
  prepare_ = [&] { ::chmod((postfix_->config_directory() + "/tls.cf").c_str(), 0600); };
  Start();
  ASSERT_TRUE(Lookup("tls.cf", "k").IsValue("f")) << Describe(Lookup("tls.cf", "k"));
  postfix_->WriteConfig("proxymux.yaml", pool + "require}}\n");
  ASSERT_EQ(postfix_->Pids("proxymux").size(), 1u);
  ::kill(postfix_->Pids("proxymux")[0], SIGHUP);
  EXPECT_TRUE(postfix_->WaitForLog("settings and tables were read again")) << postfix_->Log();
  EXPECT_TRUE(Lookup("tls.cf", "k").IsValue("t")) << Describe(Lookup("tls.cf", "k"));
}

TEST_F(TableFiles, ChangeIsPickedUpWithinASecondWithoutALostLookup) {
  options_.tables.push_back({"changing.cf", Constant("0")});
  Start();
  ASSERT_TRUE(Lookup("changing.cf", "k").IsValue("0"));
  harness::LoadClients load(harness::LoadOn(*postfix_, 20));
  const auto pids = postfix_->Pids("proxymux");
  for (const char* value : {"1", "2", "3"}) {
    postfix_->WriteConfig("changing.cf", Constant(value));
    // The tables under load are replaced as well, by the same text.
    for (const auto& table : harness::MailTables(world_.Hosts()))
      postfix_->WriteConfig(table.name, table.text);
    EXPECT_TRUE(Eventually([&] { return Lookup("changing.cf", "k").IsValue(value); }, seconds(1)));
  }
  const harness::LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
  EXPECT_GT(report.answered, 0u);
  EXPECT_EQ(postfix_->Pids("proxymux"), pids);
}

TEST_F(TableFiles, BrokenNewVersionIsReportedAndTheOldOneStaysInUse) {
  options_.tables.push_back({"changing.cf", Constant("old")});
  Start();
  ASSERT_TRUE(Lookup("changing.cf", "k").IsValue("old"));
  const std::size_t mark = postfix_->LogMark();
  postfix_->WriteConfig("changing.cf", "hosts = 127.0.0.1\nbroken\n");
  EXPECT_TRUE(postfix_->WaitForLog("changing.cf:2", mark, seconds(3)))
      << postfix_->Log().substr(mark);
  EXPECT_TRUE(Lookup("changing.cf", "k").IsValue("old"));
  ::unlink((postfix_->config_directory() + "/changing.cf").c_str());
  EXPECT_TRUE(Lookup("changing.cf", "k").IsValue("old"));
  postfix_->WriteConfig("changing.cf", Constant("new"));
  EXPECT_TRUE(Eventually([&] { return Lookup("changing.cf", "k").IsValue("new"); }, seconds(1)));
}

TEST_F(TableFiles, TableThatIsNotApprovedIsDeniedAndTheLogSaysWhatWouldApproveIt) {
  Start();
  const std::string table = postfix_->Table("unapproved.cf");
  EXPECT_TRUE(client_->Open(table).Is(Status::kDeny));
  EXPECT_TRUE(client_->Lookup(table, "k").Is(Status::kDeny));
  EXPECT_TRUE(postfix_->WaitForLog(table)) << postfix_->Log();
  EXPECT_FALSE(postfix_->LogLinesWith({"proxy_read_maps"}).empty());
  // The same file under a name that is not the approved one.
  const std::string aliases = postfix_->Table("pgsql-aliases.cf");
  EXPECT_TRUE(client_->Lookup(postfix_->Table("./pgsql-aliases.cf"), "k").Is(Status::kDeny));
  EXPECT_TRUE(client_->Lookup("mysql:" + aliases.substr(6), "k").Is(Status::kDeny));
  EXPECT_TRUE(client_->Lookup("proxy:proxy:" + aliases, harness::AliasOf(2))
                  .IsValue(harness::AddressOf(2)));
}

TEST_F(TableFiles, NoDatabaseAtTheStartMeansRetryUntilOneIsThere) {
  harness::PostgresCluster late(world_.NewDirectory());
  options_.yaml = "pool: {outage_wait: 0s}\n";
  options_.tables.push_back(
      {"late.cf",
       harness::TableText(late.TcpHost(), "SELECT goto FROM alias WHERE address = '%s'")});
  Start();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = Lookup("late.cf", harness::AliasOf(1));
    EXPECT_TRUE(answer.Is(Status::kRetry)) << Describe(answer);
  }
  ExpectGoodTable();
  late.Start();
  harness::CreateMailDatabase(late, 10);
  const auto answers = [&] {
    return Lookup("late.cf", harness::AliasOf(1)).IsValue(harness::AddressOf(1));
  };
  EXPECT_TRUE(Eventually(answers, seconds(15))) << postfix_->Log();
  EXPECT_TRUE(postfix_->WaitForLog(late.TcpHost()));
}

TEST_F(TableFiles, WrongPasswordIsATemporaryErrorOfThatTable) {
  std::string text = Constant("x");
  text.replace(text.find(harness::kMailPassword), std::string(harness::kMailPassword).size(),
               "wrong secret");
  options_.tables.push_back({"password.cf", text});
  Start();
  EXPECT_TRUE(Lookup("password.cf", "k").Is(Status::kRetry));
  ExpectGoodTable();
  EXPECT_EQ(postfix_->LogLinesWith({"wrong secret"}), std::vector<std::string>{});
}

}  // namespace
}  // namespace proxymux::integration
