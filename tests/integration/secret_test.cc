// Passwords that were not encoded in a connection URI: no piece of one shows in any output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "tests/harness/admin_client.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::ChildProcess;
using harness::CommandResult;
using harness::Eventually;
using harness::HttpGet;
using harness::RunCommand;
using testing::HasSubstr;
using testing::Not;

// Every piece of each that could become a host, a port, a database or a name has this in it, or is
// a number.
constexpr char kMark[] = "Qw";

const std::vector<std::string>& Passwords() {
  static const std::vector<std::string> passwords = {
      "Qw1@Qw2",          "Qw1/Qw2",         "Qw1#Qw2",           "Qw1@Qw2/Qw3#Qw4",
      "77/Qw2#Qw3",       "Qw1?Qw2",         "Qw1@Qw2?Qw3",       "77/Qw2?Qw3",
      "Qw1@Qw2?user=Qw3", "77/Qw2?user=Qw3", "Qw1,Qw2",           "77,Qw2/Qw3",
      "77,Qw2:Qw3,Qw4",   "77,/Qw2",         "Qw1@Qw2,Qw3/Qw4",   "Qw1 Qw2",
      "77 Qw2/Qw3",       "Qw1%Qw2",         "%40Qw1@Qw2/Qw3",    "[Qw1]",
      "Qw1@[Qw2",         "Qw1@[::1]Qw2",    "Qw1@Qw2:77/Qw3",    "Qw1:Qw2@Qw3:Qw4",
      "//Qw1@Qw2",        "Qw1@/Qw2",        "Qw1\"Qw2",          "Qw1'@'Qw2/",
      "Qw1=Qw2",          "Qw1@Qw2/Qw3=Qw4", "Qw1$Qw2",           "$Qw1@/$",
      "Qw1\\@Qw2/",       "Qw1@77",          "Qw1@127.0.0.1/Qw2", "Qw1@127.0.0.1/Qw2@Qw3"};
  return passwords;
}

class Secrets : public testing::Test {
 protected:
  Secrets() : directory_(world_.NewDirectory()) {
    auto options = world_.Options(harness::Service::kInPlace);
    options.tables.clear();
    // What is no address takes the name server's time.
    options.yaml = "admin: {listen: " + admin_ +
                   "}\npool: {connect_timeout: 1s, outage_wait: 0s}\n"
                   "pools: {\"postgresql://mail:Qw1@db1.invalid/mail\": {connections: 2}}\n";
    options_ = options;
  }

  void Add(const std::string& text) {
    options_.tables.push_back({"t" + std::to_string(options_.tables.size()) + ".cf", text});
  }
  static std::string Query() { return "query = SELECT '%s'\n"; }

  // All outputs of all programs, while each table is asked once.
  void ExpectNothingShown() {
    harness::PostfixInstance postfix(directory_, options_);
    const std::string binary = postfix.daemon_directory() + "/proxymux";
    const auto expect_clean = [](const std::string& what, const std::string& text) {
      for (std::size_t at = text.find(kMark); at != std::string::npos;
           at = text.find(kMark, at + 1)) {
        const std::size_t begin = text.rfind('\n', at) + 1;
        ADD_FAILURE() << what << ": " << text.substr(begin, text.find('\n', at) - begin);
      }
    };
    const auto run = [&](std::vector<std::string> words) {
      words.insert(words.begin(), binary);
      const CommandResult result = RunCommand(words);
      expect_clean(words[1], result.out + result.err);
      return result;
    };
    run({"check", "-c", postfix.config_directory()});
    std::vector<std::string> tables;
    for (const auto& file : options_.tables) tables.push_back(postfix.Table(file.name));
    for (const auto& name : options_.approved) tables.push_back(name);
    for (const std::string& table : tables) {
      run({"lookup", "--explain", "-c", postfix.config_directory(), "key", table});
    }
    const std::string log = directory_ + "/output", socket = directory_ + "/sock";
    ChildProcess service({binary, "serve", "--config-directory", postfix.config_directory(),
                          "--listen", socket, "-v"},
                         log, {});
    ASSERT_TRUE(Eventually(
        [&] { return HttpGet(admin_, "/healthz").status == 200 || !service.Running(); }));
    harness::ProxymapClient client(socket);
    for (const std::string& table : tables) {
      const harness::Answer answer = client.Lookup(table, "key");
      EXPECT_TRUE(answer.Is(protocol::Status::kRetry) || answer.Is(protocol::Status::kConfig))
          << table << ": " << Describe(answer);
    }
    service.Signal(SIGHUP);
    EXPECT_TRUE(Eventually([&] {
      return harness::ReadFile(log).find("settings and tables were read again") !=
             std::string::npos;
    }));
    for (const std::string& table : tables) client.Lookup(table, "key");
    for (const char* path : {"/healthz", "/metrics", "/status.json"}) {
      expect_clean(path, HttpGet(admin_, path).body);
    }
    EXPECT_THAT(run({"ctl", "status", "--socket", admin_}).out, HasSubstr("t0.cf"));
    run({"ctl", "status", "--socket", admin_, "--json"});
    expect_clean("log", harness::ReadFile(log));
  }

  MailWorld& world_ = MailWorld::Instance();
  const std::string directory_;
  const std::string admin_ = directory_ + "/data/admin";
  harness::PostfixInstance::Options options_;
};

TEST_F(Secrets, OfUrisInHosts) {
  for (const std::string& password : Passwords()) {
    Add("hosts = postgresql://mail:" + password + "@db1.invalid/mail\ndbname = mail\n" + Query());
  }
  ExpectNothingShown();
}

TEST_F(Secrets, OfUrisInDbname) {
  for (const std::string& password : Passwords()) {
    Add("hosts = 127.0.0.1:1\ndbname = postgresql://mail:" + password + "@db1.invalid/mail\n" +
        Query());
  }
  ExpectNothingShown();
}

TEST_F(Secrets, OfWhatWasMeantForAUri) {
  for (const char* begin : {"postgres:/mail:", "postgressql://mail:", "mail:", "//mail:"}) {
    for (const char* password : {"Qw1", "Qw1@Qw2", "Qw1,Qw2", "77,Qw2:Qw3", "Qw1/Qw2"}) {
      const std::string text = std::string(begin) + password + "@db1.invalid/mail";
      Add("hosts = " + text + "\ndbname = mail\n" + Query());
      Add("hosts = 127.0.0.1:1\ndbname = " + text + "\n" + Query());
    }
  }
  // A line that was to continue the one before.
  Add("hosts = db1.invalid\npostgresql://mail:Qw1@db2.invalid/mail?sslmode=require\n"
      "dbname = mail\n" +
      Query());
  Add("hosts = db1.invalid\npostgresql://mail:Qw1@db2.invalid/mail\ndbname = mail\n" + Query());
  ExpectNothingShown();
}

TEST_F(Secrets, OfTablesInMainCf) {
  Add("hosts = 127.0.0.1:1\ndbname = mail\n" + Query());
  options_.approved = {"pgsql:uri", "pgsql:word"};
  options_.main_cf = {"uri_hosts = postgresql://mail:Qw1$@Qw2/Qw3@db1.invalid/mail",
                      "uri_dbname = mail",
                      "uri_query = SELECT 1",
                      "word_hosts = 127.0.0.1:1",
                      "word_dbname = mail",
                      "word_user = mail",
                      "word_password = Qw1${Qw2$",
                      "word_query = SELECT 1"};
  ExpectNothingShown();
}

}  // namespace
}  // namespace proxymux::integration
