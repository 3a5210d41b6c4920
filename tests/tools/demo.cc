// The demonstration behind scripts/demo: a private Postfix with proxymux in place of the stock
// proxymap, on two mirrored PostgreSQL servers, shown step by step in words, with the stock service
// beside it where there is something to compare.
//
//   demo --proxymux BINARY [--keep]
//   demo --proxymux BINARY --end DIRECTORY
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/harness/deadline.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/process.h"
#include "tests/harness/smtp_client.h"
#include "tests/harness/temp_directory.h"
#include "tests/tools/demo_servers.h"
#include "tests/tools/narration.h"
#include "tests/tools/stock_comparison.h"

namespace {

using namespace proxymux::harness;  // NOLINT: a program, not a library
using proxymux::tools::DemoServers;
using proxymux::tools::Expect;
using proxymux::tools::kUsers;
using proxymux::tools::Narration;
using proxymux::tools::Say;
using proxymux::tools::StockComparison;

std::atomic<bool> interrupted = false;

// Ctrl-C and the like, at any moment: clean up, then go. The signals are blocked everywhere else.
void CleanUpOnSignals(const std::string& directory) {
  static sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([directory] {
    int number = 0;
    ::sigwait(&signals, &number);
    interrupted = true;
    std::fprintf(stderr, "\nInterrupted: stopping the servers and removing %s\n",
                 directory.c_str());
    TempDirectory::Remove(directory);
    ::_exit(128 + number);
  }).detach();
}

class Demo {
 public:
  explicit Demo(std::string binary) : binary_(std::move(binary)) {
    CleanUpOnSignals(servers_.directory.path());
  }

  void Run() {
    StartDatabases();
    StartPostfix();
    ShowLookups();
    ShowMessage();
    StockComparison comparison(&servers_, &narration_);
    comparison.CompareConnections();
    comparison.StopOneMirror();
    comparison.ShowTable();
  }

  // Leaves everything running; does not return.
  [[noreturn]] void Keep() {
    servers_.stock.reset();
    servers_.directory.Keep();
    const std::string config = servers_.postfix->config_directory();
    std::printf(
        "\nEverything keeps running in %s. To use it:\n"
        "  a lookup        postmap -c %s -q user7@example7.com proxy:pgsql:%s/pgsql-aliases.cf\n"
        "  the tables      %s/pgsql-*.cf  (a change is picked up within a second)\n"
        "  a message       SMTP on 127.0.0.1 port %d, to userN@exampleM.com with M = N mod 100, N "
        "up to %d\n"
        "  delivered mail  %s\n"
        "  the log         %s\n"
        "  the service     %s/proxymux ctl status --socket %s/proxymux-proxymap.sock\n"
        "  the databases   psql -h 127.0.0.1 -p %d -U postgres %s   (the mirror: port %d)\n"
        "  end it all      scripts/demo --end %s\n",
        servers_.directory.path().c_str(), config.c_str(), config.c_str(), config.c_str(),
        servers_.postfix->smtp_port(), kUsers, servers_.postfix->mail_directory().c_str(),
        servers_.postfix->log_path().c_str(), servers_.postfix->daemon_directory().c_str(),
        servers_.postfix->data_directory().c_str(), servers_.first->port(), kMailDatabase,
        servers_.second->port(), servers_.directory.path().c_str());
    std::fflush(stdout);
    ::_exit(0);
  }

 private:
  void StartDatabases() {
    narration_.Step("Two PostgreSQL servers with the same " + std::to_string(kUsers) +
                    " users: the mirrors");
    for (auto* cluster : {&servers_.first, &servers_.second}) {
      const std::string name = cluster == &servers_.first ? "pg1" : "pg2";
      *cluster = std::make_unique<PostgresCluster>(servers_.directory / name);
      (*cluster)->Start();
      CreateMailDatabase(**cluster, kUsers);
      Say("PostgreSQL answers on " + (*cluster)->TcpHost());
    }
  }

  void StartPostfix() {
    narration_.Step("A private Postfix, proxymux in place of its proxymap");
    PostfixInstance::Options options;
    options.tables = MailTables(servers_.first->TcpHost() + " " + servers_.second->TcpHost());
    servers_.stock = std::make_unique<PostfixInstance>(servers_.directory / "stock", options);
    options.service = Service::kInPlace;
    options.proxymux = binary_;
    servers_.postfix = std::make_unique<PostfixInstance>(servers_.directory / "postfix", options);
    servers_.postfix->Start();
    Say("the one line that was changed in its master.cf:");
    Say("  proxymap  unix  -  -  n  -  1  proxymux -o proxymap_service_name=proxymap");
  }

  void ShowLookups() {
    narration_.Step("Lookups with Postfix's own postmap");
    struct Lookup {
      std::string key, table, expected;
    };
    for (const auto& [key, name, expected] :
         std::vector<Lookup>{{"user7@example7.com", "pgsql-aliases.cf", AddressOf(7)},
                             {"USER7@Example7.COM", "pgsql-aliases.cf", AddressOf(7)},
                             {"list@example0.com", "pgsql-aliases.cf",
                              "user1@example1.com,user2@example2.com,user3@example3.com"},
                             {AddressOf(7), "pgsql-mailboxes.cf", "store.example.net/box7/"},
                             {"nobody@example7.com", "pgsql-aliases.cf", ""}}) {
      const CommandResult result = servers_.postfix->Postmap(key, servers_.postfix->Table(name));
      std::string value = result.out;
      if (!value.empty()) value.pop_back();
      Say("postmap -q " + key + " proxy:pgsql:.../" + name);
      Say("  " + (value.empty() ? "(no such key)" : value));
      Expect(value == expected, "expected " + expected + "; " + result.err);
    }
  }

  void ShowMessage() {
    narration_.Step("A message over SMTP to the virtual alias user7@example7.com");
    SmtpClient smtp(servers_.postfix->smtp_port());
    const std::string answer =
        smtp.SendMessage("sender@example.org", {"user7@example7.com"}, "Greetings from the demo.");
    Say("smtpd: " + answer);
    Expect(answer.starts_with("250"), "the message was refused");
    const std::string mailbox = servers_.postfix->mail_directory() + "/store.example.net/box7/new";
    Expect(servers_.postfix->WaitForLog("status=sent"),
           "it was not delivered:\n" + servers_.postfix->Log());
    Say("accepted by pgsql-alias-domains.cf, rewritten by pgsql-aliases.cf to "
        "box7@store.example.net,");
    Say("routed by pgsql-mailbox-domains.cf and pgsql-transport.cf, stored where "
        "pgsql-mailboxes.cf says:");
    for (const auto& file : std::filesystem::directory_iterator(mailbox)) {
      Say("  " + std::filesystem::relative(file.path(), servers_.directory.path()).string());
    }
  }

  std::string binary_;
  Narration narration_;
  DemoServers servers_;
};

int Run(int argc, char** argv) {
  std::string binary, end;
  bool keep = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--keep") == 0) {
      keep = true;
    } else if (std::strcmp(argv[i], "--proxymux") == 0 && i + 1 < argc) {
      binary = argv[++i];
    } else if (std::strcmp(argv[i], "--end") == 0 && i + 1 < argc) {
      end = argv[++i];
    } else {
      throw std::runtime_error(std::string("unknown option ") + argv[i]);
    }
  }
  if (!end.empty()) {
    if (!end.starts_with("/tmp/pmx.") || end.find('/', 5) != std::string::npos) {
      throw std::runtime_error(end + " is not a directory that a demo left");
    }
    TempDirectory::Remove(end);
    std::printf("Ended, and %s removed.\n", end.c_str());
    return 0;
  }
  const auto start = std::chrono::steady_clock::now();
  {
    Demo demo(binary);
    demo.Run();
    if (keep) demo.Keep();
  }
  const auto elapsed = std::chrono::steady_clock::now() - start;
  std::printf("\nDone in %ld seconds; the servers are stopped and their files removed.\n",
              static_cast<long>(std::chrono::duration_cast<seconds>(elapsed).count()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    // An interruption makes everything fail: its own thread has the last word.
    if (interrupted) ::pause();
    std::fprintf(stderr, "demo: %s\n", error.what());
    return 1;
  }
}
