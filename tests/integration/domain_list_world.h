// What the tests of domain lists share: an instance whose tables have such lists, the stock daemons
// that the service starts for them, and a table whose answers the test gives.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/harness/proxymap_client.h"
#include "tests/harness/socket.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {

// A tcp_table(5) whose answers the test gives, so that a lookup waits for as long as it should.
class TcpTable {
 public:
  class Asked {
   public:
    explicit Asked(int fd) : socket_(fd) {
      while (question_.find('\n') == std::string::npos &&
             socket_.Receive(question_) == harness::Socket::Received::kBytes) {
      }
    }
    const std::string& question() const { return question_; }
    void Answer(const std::string& line) { socket_.Send(line + "\n"); }
    // The next question on this connection, if there is one within the limit.
    bool Again(harness::milliseconds limit) {
      question_.clear();
      return socket_.Receive(question_, limit) == harness::Socket::Received::kBytes;
    }

   private:
    harness::Socket socket_;
    std::string question_;
  };

  TcpTable()
      : fd_(harness::ListenTcp()), name_("tcp:127.0.0.1:" + std::to_string(harness::PortOf(fd_))) {}
  ~TcpTable() { ::close(fd_); }

  const std::string& name() const { return name_; }
  // The first question on the next connection, which is one stock process.
  std::unique_ptr<Asked> Next() {
    pollfd waits{fd_, POLLIN, 0};
    if (::poll(&waits, 1, 20000) != 1) throw std::runtime_error("nobody asks " + name_);
    return std::make_unique<Asked>(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  const int fd_;
  const std::string name_;
};

class DomainLists : public testing::Test {
 protected:
  DomainLists()
      : options_(world_.Options(harness::Service::kInPlace)), directory_(world_.NewDirectory()) {}

  // A table whose value is its key, for the domains of `list`.
  static std::string TableFor(const std::string& list) {
    return harness::TableText(MailWorld::Instance().Hosts(), "SELECT 'found %s'",
                              "domain = " + list + "\n");
  }
  void Add(const std::string& name, const std::string& list) {
    options_.tables.push_back({name, TableFor(list)});
  }
  std::string File(const std::string& name) const { return directory_ + "/etc/" + name; }
  void WriteHash(const std::string& name, const std::string& text) {
    postfix_->WriteConfig(name, text, 0644);
    harness::RunOrThrow({"/usr/sbin/postmap", "-c", File(""), "hash:" + File(name)});
  }
  void Make() { postfix_ = std::make_unique<harness::PostfixInstance>(directory_, options_); }
  void Start() {
    postfix_->Start();
    client_ = Client();
  }
  std::unique_ptr<harness::ProxymapClient> Client() {
    const bool beside = options_.service == harness::Service::kBeside;
    return std::make_unique<harness::ProxymapClient>(
        postfix_->SocketPath(beside ? "proxymux" : "proxymap"));
  }

  harness::Answer Lookup(const std::string& name, const std::string& key) {
    return client_->Lookup(postfix_->Table(name), key);
  }
  void ExpectFound(const std::string& name, const std::string& key) {
    const harness::Answer answer = Lookup(name, key);
    EXPECT_TRUE(answer.IsValue("found " + key))
        << name << " " << key << ": " << harness::Describe(answer) << postfix_->Log();
  }
  void ExpectStatus(const std::string& name, const std::string& key, protocol::Status status) {
    const harness::Answer answer = Lookup(name, key);
    EXPECT_TRUE(answer.Is(status))
        << name << " " << key << ": " << harness::Describe(answer) << postfix_->Log();
  }
  bool EventuallyFound(const std::string& name, const std::string& key) {
    return harness::Eventually([&] { return Lookup(name, key).IsValue("found " + key); });
  }
  static protocol::Operation LookupOf(const std::string& table, const std::string& key) {
    return protocol::LookupRequest{table, harness::kPostmapFlags, harness::kPostmapFlags, key};
  }

  // The stock daemons that the service started.
  std::vector<pid_t> StockDaemons() {
    std::vector<pid_t> pids;
    for (const pid_t service : postfix_->Pids("proxymux")) {
      for (const auto& child : harness::ChildrenOf(service)) {
        if (child.command == "proxymap" && child.state != 'Z') pids.push_back(child.pid);
      }
    }
    return pids;
  }

  MailWorld& world_ = MailWorld::Instance();
  harness::PostfixInstance::Options options_;
  const std::string directory_;
  std::unique_ptr<harness::PostfixInstance> postfix_;
  std::unique_ptr<harness::ProxymapClient> client_;
};

}  // namespace proxymux::integration
