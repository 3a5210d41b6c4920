// The demonstration behind scripts/demo: a private Postfix with proxymux in place of the stock
// proxymap, on two mirrored PostgreSQL servers, shown step by step in words, with the stock service
// beside it where there is something to compare.
//
//   demo --proxymux BINARY [--keep]
//   demo --proxymux BINARY --end DIRECTORY
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/deadline.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/smtp_client.h"
#include "tests/harness/temp_directory.h"

namespace {

using namespace proxymux::harness;  // NOLINT: a program, not a library

constexpr int kUsers = 10000;
constexpr int kClients = 200;

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

struct Measurement {
  LoadReport report;
  int connections = 0;  // to the databases, the most seen at once
};

class Demo {
 public:
  explicit Demo(std::string binary) : binary_(std::move(binary)) {
    CleanUpOnSignals(directory_.path());
  }

  void Run() {
    StartDatabases();
    StartPostfix();
    ShowLookups();
    ShowMessage();
    CompareConnections();
    StopOneMirror();
    ShowTable();
  }

  // Leaves everything running; does not return.
  [[noreturn]] void Keep() {
    stock_.reset();
    directory_.Keep();
    const std::string config = postfix_->config_directory();
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
        directory_.path().c_str(), config.c_str(), config.c_str(), config.c_str(),
        postfix_->smtp_port(), kUsers, postfix_->mail_directory().c_str(),
        postfix_->log_path().c_str(), postfix_->daemon_directory().c_str(),
        postfix_->data_directory().c_str(), first_->port(), kMailDatabase, second_->port(),
        directory_.path().c_str());
    std::fflush(stdout);
    ::_exit(0);
  }

 private:
  void Step(const std::string& text) {
    std::printf("\n%d. %s\n", ++step_, text.c_str());
    std::fflush(stdout);
  }

  static void Say(const std::string& text) {
    std::printf("   %s\n", text.c_str());
    std::fflush(stdout);
  }

  void StartDatabases() {
    Step("Two PostgreSQL servers with the same " + std::to_string(kUsers) + " users: the mirrors");
    for (auto* cluster : {&first_, &second_}) {
      const std::string name = cluster == &first_ ? "pg1" : "pg2";
      *cluster = std::make_unique<PostgresCluster>(directory_ / name);
      (*cluster)->Start();
      CreateMailDatabase(**cluster, kUsers);
      Say("PostgreSQL answers on " + (*cluster)->TcpHost());
    }
  }

  void StartPostfix() {
    Step("A private Postfix, proxymux in place of its proxymap");
    PostfixInstance::Options options;
    options.tables = MailTables(first_->TcpHost() + " " + second_->TcpHost());
    stock_ = std::make_unique<PostfixInstance>(directory_ / "stock", options);
    options.service = Service::kInPlace;
    options.proxymux = binary_;
    postfix_ = std::make_unique<PostfixInstance>(directory_ / "postfix", options);
    postfix_->Start();
    Say("the one line that was changed in its master.cf:");
    Say("  proxymap  unix  -  -  n  -  1  proxymux -o proxymap_service_name=proxymap");
  }

  void ShowLookups() {
    Step("Lookups with Postfix's own postmap");
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
      const CommandResult result = postfix_->Postmap(key, postfix_->Table(name));
      std::string value = result.out;
      if (!value.empty()) value.pop_back();
      Say("postmap -q " + key + " proxy:pgsql:.../" + name);
      Say("  " + (value.empty() ? "(no such key)" : value));
      Expect(value == expected, "expected " + expected + "; " + result.err);
    }
  }

  void ShowMessage() {
    Step("A message over SMTP to the virtual alias user7@example7.com");
    SmtpClient smtp(postfix_->smtp_port());
    const std::string answer =
        smtp.SendMessage("sender@example.org", {"user7@example7.com"}, "Greetings from the demo.");
    Say("smtpd: " + answer);
    Expect(answer.starts_with("250"), "the message was refused");
    const std::string mailbox = postfix_->mail_directory() + "/store.example.net/box7/new";
    Expect(postfix_->WaitForLog("status=sent"), "it was not delivered:\n" + postfix_->Log());
    Say("accepted by pgsql-alias-domains.cf, rewritten by pgsql-aliases.cf to "
        "box7@store.example.net,");
    Say("routed by pgsql-mailbox-domains.cf and pgsql-transport.cf, stored where "
        "pgsql-mailboxes.cf says:");
    for (const auto& file : std::filesystem::directory_iterator(mailbox)) {
      Say("  " + std::filesystem::relative(file.path(), directory_.path()).string());
    }
  }

  LoadOptions Load(const PostfixInstance& instance) {
    LoadOptions options = LoadOn(instance, kClients);
    options.users = kUsers;
    return options;
  }

  // Database connections of proxymux, or of everybody else.
  int Connections(bool ours) {
    int count = 0;
    for (auto* cluster : {first_.get(), second_.get()}) {
      if (!cluster->Running()) continue;
      count += std::stoi(
          cluster->Sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = '" +
                                       std::string(kMailRole) + "' AND application_name " +
                                       (ours ? "=" : "<>") + " 'proxymux'"));
    }
    return count;
  }

  void Watch(Measurement& measurement, seconds duration, bool ours) {
    for (const Deadline deadline(duration); !deadline.Passed(); ::poll(nullptr, 0, 200)) {
      const int count = ours ? Connections(true) : Connections(false) - deliveries_;
      measurement.connections = std::max(measurement.connections, count);
    }
  }

  Measurement MeasureLoad(const PostfixInstance& instance) {
    Measurement measurement;
    LoadClients load(Load(instance));
    Watch(measurement, seconds(6), &instance == postfix_.get());
    measurement.report = load.Finish();
    return measurement;
  }

  void CompareConnections() {
    Step(std::to_string(kClients) + " clients at once on five tables: stock first, then proxymux");
    // virtual(8) never asks a proxymap: the delivery of a moment ago left a connection of its own.
    deliveries_ = Connections(false);
    stock_->Start();
    stock_load_ = MeasureLoad(*stock_);
    StopStock();
    Say("stock proxymap: " + std::to_string(stock_load_.connections) + " database connections");
    load_ = MeasureLoad(*postfix_);
    Say("proxymux:       " + std::to_string(load_.connections) + " database connections");
    Expect(load_.report.Failed() == 0, "lookups failed: " + load_.report.Text());
    Expect(load_.connections <= 4, "more than 4 connections");
  }

  void StopStock() {
    stock_->Stop();
    Expect(Eventually([&] { return Connections(false) <= deliveries_; }),
           "connections of stock stay open");
  }

  Measurement MeasureLoss(const PostfixInstance& instance) {
    Measurement measurement;
    LoadClients load(Load(instance));
    Watch(measurement, seconds(2), &instance == postfix_.get());
    first_->StopImmediate();
    Watch(measurement, seconds(3), &instance == postfix_.get());
    first_->Start();
    Watch(measurement, seconds(2), &instance == postfix_.get());
    measurement.report = load.Finish();
    return measurement;
  }

  void StopOneMirror() {
    Step("The same load, and one of the two mirrors is stopped in the middle, then started again");
    stock_->Start();
    stock_loss_ = MeasureLoss(*stock_);
    StopStock();
    Say("stock proxymap: " + std::to_string(stock_loss_.report.Failed()) +
        " lookups failed (deferred mail)");
    loss_ = MeasureLoss(*postfix_);
    Say("proxymux:       " + std::to_string(loss_.report.Failed()) + " lookups failed");
    Expect(loss_.report.Failed() == 0 && loss_.connections <= 4,
           "lookups were lost: " + loss_.report.Text() + "\n" + LogTail());
  }

  void ShowTable() {
    const auto row = [](const char* name, const std::string& stock, const std::string& ours) {
      std::printf("   %-44s %14s %14s\n", name, stock.c_str(), ours.c_str());
    };
    const auto rate = [](const LoadReport& report) {
      return std::to_string(
          static_cast<long>(static_cast<double>(report.answered) / report.elapsed_seconds));
    };
    const auto time = [](double milliseconds) {
      char text[32];
      std::snprintf(text, sizeof(text), "%.1f ms", milliseconds);
      return std::string(text);
    };
    std::printf("\n");
    row("200 clients, 5 tables, 2 PostgreSQL servers", "stock proxymap", "proxymux");
    row("database connections", std::to_string(stock_load_.connections),
        std::to_string(load_.connections));
    row("lookups per second", rate(stock_load_.report), rate(load_.report));
    row("half of the answers within", time(stock_load_.report.p50_ms), time(load_.report.p50_ms));
    row("99 of 100 answers within", time(stock_load_.report.p99_ms), time(load_.report.p99_ms));
    row("failed lookups", std::to_string(stock_load_.report.Failed()),
        std::to_string(load_.report.Failed()));
    row("failed lookups while one server was stopped", std::to_string(stock_loss_.report.Failed()),
        std::to_string(loss_.report.Failed()));
    std::fflush(stdout);
  }

  // The end of the log, for a failure's explanation.
  std::string LogTail() const {
    const std::string log = postfix_->Log();
    return log.size() <= 6000 ? log : log.substr(log.find('\n', log.size() - 6000) + 1);
  }

  static void Expect(bool condition, const std::string& otherwise) {
    if (!condition) throw std::runtime_error(otherwise);
  }

  std::string binary_;
  int step_ = 0;
  int deliveries_ = 0;
  TempDirectory directory_;
  std::unique_ptr<PostgresCluster> first_, second_;
  std::unique_ptr<PostfixInstance> stock_, postfix_;
  Measurement stock_load_, load_, stock_loss_, loss_;
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
