// How a connection is made, and servers that misbehave.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "tests/harness/socket.h"
#include "tests/pgsql/libpq/pg_session.h"
#include "tests/pgsql/libpq/tcp_server.h"

namespace proxymux::pgsql {
namespace {

TEST(Connecting, ByNameByAddressAndByUnixSocket) {
  const std::string port = std::to_string(Cluster().port());
  for (const std::string& host :
       {std::string("localhost"), std::string("127.0.0.1"), Cluster().socket_directory()}) {
    Session session(PlanFor(host, port, "reader", "secret"));
    ASSERT_TRUE(session.Settled()) << host;
    EXPECT_TRUE(session.ready) << host << ": " << session.failure.text;
  }
}

TEST(Connecting, AWrongPasswordAndAMissingDatabaseAreTold) {
  const std::string port = std::to_string(Cluster().port());
  Session wrong(PlanFor("127.0.0.1", port, "reader", "hunter2"));
  ASSERT_TRUE(wrong.Settled());
  EXPECT_EQ(wrong.failure.sqlstate, "28P01") << wrong.failure.text;
  EXPECT_EQ(wrong.failure.text.find("hunter2"), std::string::npos);
  EXPECT_EQ(wrong.failure.text.find('\n'), std::string::npos);
  EXPECT_EQ(wrong.failure.text.find("28P01"), std::string::npos) << wrong.failure.text;
  Session missing(PlanFor("127.0.0.1", port, "postgres", "", "nosuch"));
  ASSERT_TRUE(missing.Settled());
  EXPECT_EQ(missing.failure.sqlstate, "3D000") << missing.failure.text;
}

TEST(Connecting, ARefusalOrAnUnknownNameHasNoSqlstate) {
  Session refused(PlanFor("127.0.0.1", std::to_string(harness::FreePort()), "postgres"));
  ASSERT_TRUE(refused.Settled());
  EXPECT_TRUE(refused.failed);
  EXPECT_EQ(refused.failure.sqlstate, "");
  EXPECT_NE(refused.failure.text.find("refused"), std::string::npos) << refused.failure.text;
  Session unknown(PlanFor("nosuch.invalid", "5432", "postgres"));
  ASSERT_TRUE(unknown.Settled());
  EXPECT_EQ(unknown.failure.sqlstate, "");
  EXPECT_NE(unknown.failure.text.find("nosuch.invalid"), std::string::npos);
}

TEST(Connecting, GoesOnToTheNextHostOfAUri) {
  ConnectPlan plan = Local();
  plan.endpoints.insert(plan.endpoints.begin(),
                        {"127.0.0.1", "", std::to_string(harness::FreePort())});
  Session session(plan);
  ASSERT_TRUE(session.Settled());
  EXPECT_TRUE(session.ready) << session.failure.text;
}

// ParseComplete, BindComplete, RowDescription of one text column, and the head of a DataRow with
// 1000 bytes of which ten follow.
const std::string kHalfAResult(
    "1\0\0\0\x04"
    "2\0\0\0\x04"
    "T\0\0\0\x1a\0\x01v\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
    "D\0\0\x03\xf2\0\x01\0\0\x03\xe8"
    "0123456789",
    5 + 5 + 27 + 11 + 10);

TEST(Connecting, AServerThatNeverAnswersCostsTheTimeLimit) {
  TcpServer silent;  // the kernel accepts, nobody speaks
  const Time begin = Clock::now();
  Session session(silent.Plan(), 1 << 20, milliseconds(300));
  ASSERT_TRUE(session.Settled());
  EXPECT_TRUE(session.failed);
  EXPECT_NE(session.failure.text.find("timed out"), std::string::npos) << session.failure.text;
  EXPECT_GE(Clock::now() - begin, milliseconds(290));
  EXPECT_LT(Clock::now() - begin, seconds(5));
}

// A host that nothing comes back from: a SYN that finds the queue of a listener full is dropped.
class FullServer {
 public:
  FullServer() : server_(0), occupant_(harness::Socket::ConnectTcp(server_.port())) {
    pollfd queue{server_.fd(), POLLIN, 0};  // of one place, which is taken
    EXPECT_EQ(::poll(&queue, 1, 20000), 1);
  }
  // Takes the one who waits and serves those that come next.
  void MakeRoom(std::function<void(harness::Socket)> serve) {
    const int client = ::accept4(server_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    EXPECT_GE(client, 0);
    taken_.emplace(client);
    server_.Serve(std::move(serve));
  }
  ConnectPlan Plan() const { return server_.Plan(); }
  // The sockets that wait for an answer to their SYN just now.
  std::set<std::string> Waiting() const {
    // proc(5), /proc/net/tcp: a number, the local and the remote address as ADDRESS:PORT in
    // hexadecimal, the state (02: SYN_SENT), the queues, the timer, retransmits, uid, timeout and
    // the inode; of a socket that was closed 0.
    std::set<std::string> inodes;
    std::ifstream table("/proc/net/tcp");
    std::string line;
    std::getline(table, line);  // the heading
    while (std::getline(table, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode;
      const std::size_t colon = remote.find(':');
      if (state != "02" || inode == "0" || colon == std::string::npos) continue;
      if (std::stoi(remote.substr(colon + 1), nullptr, 16) == server_.port()) inodes.insert(inode);
    }
    return inodes;
  }
  // How many sockets were seen to wait, in this and earlier calls.
  std::size_t Dials() {
    dials_.merge(Waiting());
    return dials_.size();
  }

 private:
  TcpServer server_;
  harness::Socket occupant_;
  std::optional<harness::Socket> taken_;
  std::set<std::string> dials_;
};

// The kernel sends a SYN again from the same socket; that another one waits is our doing.
TEST(Connecting, AHostThatDoesNotAnswerIsDialledAnew) {
  FullServer server;
  const Time begin = Clock::now();
  Session session(server.Plan());
  ASSERT_TRUE(session.Until([&] { return server.Dials() == 2 || session.failed; }));
  ASSERT_FALSE(session.failed) << session.failure.text;
  EXPECT_GE(Clock::now() - begin, milliseconds(740));
  EXPECT_LT(Clock::now() - begin, seconds(5));
  server.MakeRoom([](harness::Socket client) {
    std::string in;
    client.Receive(in);
    client.Send(kWelcome);
    client.Receive(in);
  });
  ASSERT_TRUE(session.Settled());
  EXPECT_TRUE(session.ready) << session.failure.text;
  session.connection.reset();
}

// A host may be so far away that its answer to the first call comes behind the second one.
TEST(Connecting, TheFirstCallIsKeptBesideTheLatest) {
  FullServer server;
  Session session(server.Plan(), 1 << 20, seconds(60));
  ASSERT_TRUE(session.Until([&] { return server.Dials() == 1; }));
  const std::string first = *server.Waiting().begin();
  ASSERT_TRUE(session.Until([&] { return server.Dials() == 3; }));
  const std::set<std::string> waiting = server.Waiting();
  EXPECT_EQ(waiting.size(), 2U);
  EXPECT_TRUE(waiting.contains(first));
}

TEST(Connecting, DiallingAnewDoesNotMakeTheAttemptLonger) {
  FullServer server;
  const Time begin = Clock::now();
  Session session(server.Plan(), 1 << 20, milliseconds(2000));
  ASSERT_TRUE(session.Until([&] {
    server.Dials();
    return session.ready || session.failed;
  }));
  EXPECT_TRUE(session.failed);
  EXPECT_NE(session.failure.text.find("timed out"), std::string::npos) << session.failure.text;
  EXPECT_GE(server.Dials(), 2U);
  EXPECT_GE(Clock::now() - begin, milliseconds(1990));
  EXPECT_LT(Clock::now() - begin, seconds(10));
}

// What is heard of once is not dialled anew, however slow it is.
TEST(Connecting, AServerThatTookTheConnectionIsNotDialledAnew) {
  TcpServer silent;
  Session session(silent.Plan(), 1 << 20, milliseconds(2000));
  ASSERT_TRUE(session.Settled());
  EXPECT_TRUE(session.failed);
  int taken = 0;
  pollfd queue{silent.fd(), POLLIN, 0};
  while (::poll(&queue, 1, 0) == 1) {
    const harness::Socket client(::accept4(silent.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    ++taken;
  }
  EXPECT_EQ(taken, 1);
}

TEST(Connecting, AServerThatSpeaksGarbageIsAFailure) {
  TcpServer server;
  server.Serve([](harness::Socket client) { client.Send("SSH-2.0-OpenSSH_9.2\r\n"); });
  Session session(server.Plan());
  ASSERT_TRUE(session.Settled());
  EXPECT_TRUE(session.failed);
  EXPECT_EQ(session.failure.sqlstate, "");
}

TEST(Misbehaving, HalfAResultAndThenTheEndIsALossAndTheStatementComesBack) {
  TcpServer server;
  server.Serve([](harness::Socket client) {
    std::string in;
    client.Receive(in);
    client.Send(kWelcome);
    client.Receive(in);
    client.Send(kHalfAResult);
  });
  Session session(server.Plan());
  ASSERT_TRUE(session.Settled());
  ASSERT_TRUE(session.ready) << session.failure.text;
  session.Send(0, "SELECT 1");
  session.Send(1, "SELECT 2");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Until([&] { return session.lost || !session.results.empty(); }));
  ASSERT_TRUE(session.Until([&] { return session.lost; }));
  EXPECT_EQ(session.unanswered.size() + session.results.size(), 2U) << session.reason;
  for (const std::string& result : session.results) EXPECT_EQ(result, "error ");
}

TEST(Misbehaving, GarbageInsteadOfAResultIsALoss) {
  TcpServer server;
  server.Serve([](harness::Socket client) {
    std::string in;
    client.Receive(in);
    client.Send(kWelcome);
    client.Receive(in);
    client.Send("250 2.0.0 Ok\r\n");
    client.Receive(in, seconds(10));
  });
  Session session(server.Plan());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Until([&] { return session.lost; }));
  EXPECT_EQ(session.unanswered.size() + session.results.size(), 1U) << session.reason;
  session.connection.reset();
}

// PgBouncer's errors, and those of PostgreSQL before 9.6, have no severity that is not translated.
TEST(Misbehaving, AnErrorWithoutTheSecondSeverityFieldIsFatalAllTheSame) {
  const std::string refusal(
      "E\0\0\0\x27"
      "SFATAL\0"
      "C08P01\0"
      "Mquery_wait_timeout\0",
      5 + 7 + 7 + 20 + 1);
  TcpServer server;
  server.Serve([refusal](harness::Socket client) {
    std::string in;
    client.Receive(in);
    client.Send(kWelcome);
    client.Receive(in);
    client.Send(refusal);
  });
  Session session(server.Plan());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  // It is what the connection's own check was told.
  ASSERT_TRUE(session.Until([&] { return session.lost; }));
  EXPECT_EQ(session.reason, "query_wait_timeout");
  EXPECT_EQ(session.unanswered, std::vector<Work*>{&session.work[0]});
  session.connection.reset();
}

TEST(Misbehaving, HalfAResultAndThenSilenceIsForTheCallersClock) {
  TcpServer server;
  server.Serve([](harness::Socket client) {
    std::string in;
    client.Receive(in);
    client.Send(kWelcome);
    client.Receive(in);
    client.Send(kHalfAResult);
    while (client.Receive(in) == harness::Socket::Received::kBytes) continue;
  });
  Session session(server.Plan());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  const Time later = Clock::now() + milliseconds(200);
  session.Until([&] { return Clock::now() > later || session.lost; });
  EXPECT_FALSE(session.lost) << session.reason;
  EXPECT_EQ(session.connection->Close(), std::vector<Work*>{&session.work[0]});
  session.connection.reset();
}

}  // namespace
}  // namespace proxymux::pgsql
