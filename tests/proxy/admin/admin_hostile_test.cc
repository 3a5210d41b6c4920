// Requests that want too much, or come from where they should not: what they cost, and that others
// are answered meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/status/metrics_text.h"
#include "tests/harness/peak_memory.h"
#include "tests/proxy/admin/admin_fixture.h"

namespace proxymux::proxy {
namespace {

using harness::PeakMemory;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kMuch = 64 << 20;

std::size_t Count(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) {
    ++count;
  }
  return count;
}

class HostileAdminTest : public AdminTest {
 protected:
  // On a TCP port of the loopback address, with metrics of some 100 KB.
  HostileAdminTest() : status_(SampleStatus()) {
    while (MetricsText(status_).size() < 100'000) {
      status_.tables.push_back(SampleStatus().tables[0]);
      status_.tables.back().name += std::to_string(status_.tables.size());
    }
    tcp_ = Start({AdminAddress::Kind::kTcp, "", "127.0.0.1", 0});
    unix_ = Start(UnixAt(path_));
  }

  std::unique_ptr<AdminServer> Start(const AdminAddress& address) {
    auto server = std::make_unique<AdminServer>(
        address, "proxymap", Only([this](milliseconds) { return std::optional(status_); }),
        logger_.get());
    server->Start();
    EXPECT_TRUE(server->listening()) << server->Problem();
    return server;
  }

  static std::string Ask(const AdminServer& server, const std::string& bytes) {
    RawClient client(server.address());
    EXPECT_TRUE(client.connected());
    client.Send(bytes);
    return client.ReadAll();
  }
  std::string Tcp(const std::string& bytes) { return Ask(*tcp_, bytes); }
  std::string Unix(const std::string& bytes) { return Ask(*unix_, bytes); }
  std::string TcpWithHost(const std::string& host) {
    return Tcp("GET /status.json HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
  std::string Port() const { return std::to_string(tcp_->address().port); }

  ServiceStatus status_;
  std::unique_ptr<AdminServer> tcp_, unix_;
};

TEST_F(HostileAdminTest, RangesAreNotServedAndCostNothing) {
  std::string ranges = "bytes=0-";
  while (ranges.size() < 7900) ranges += ",0-";
  ASSERT_EQ(Get("/metrics").status, 200);
  const std::size_t whole = Unix("GET /metrics HTTP/1.0\r\n\r\n").size();
  const std::size_t before = PeakMemory();
  for (int i = 0; i < 5; ++i) {
    const std::string reply =
        Unix("GET /metrics HTTP/1.1\r\nHost: localhost\r\nRange: " + ranges + "\r\n\r\n");
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
    EXPECT_LT(reply.size(), whole + 1000);
  }
  EXPECT_LT(PeakMemory(), before + kMuch);
}

TEST_F(HostileAdminTest, ManyHeadersAndHugeOnesAreRefused) {
  const std::size_t before = PeakMemory();
  std::string many = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 5000; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  const std::string huge =
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'x');
  const std::string long_path = "GET /" + std::string(100'000, 'p');
  for (const std::string& request : {many, huge + "\r\n\r\n", huge, long_path}) {
    EXPECT_THAT(Unix(request), StartsWith("HTTP/1.1 4")) << request.substr(0, 60);
    EXPECT_EQ(Get("/healthz").status, 200);
  }
  EXPECT_LT(PeakMemory(), before + kMuch);
}

TEST_F(HostileAdminTest, OtherMethodsAreRefusedWithoutReadingTheirBodies) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "X"}) {
    const std::string reply = Unix(std::string(method) +
                                   " /metrics HTTP/1.1\r\nHost: localhost\r\n"
                                   "Content-Length: 100000000000\r\n\r\nabc");
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(reply, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(HostileAdminTest, OnTcpTheHostIsOneOfOurs) {
  for (const std::string& host :
       {std::string("127.0.0.1"), "127.0.0.1:" + Port(), std::string("127.1.2.3"),
        std::string("localhost"), "LocalHost:" + Port(), std::string("localhost:8080"),
        std::string("[::1]"), "[::1]:" + Port()}) {
    EXPECT_THAT(TcpWithHost(host), StartsWith("HTTP/1.1 200 ")) << host;
  }
  for (const std::string& host :
       {"evil.example.com:" + Port(), std::string("evil.example.com"),
        std::string("localhost.evil.example.com"), std::string("127.0.0.1.evil.example.com"),
        std::string("127.0.0.1:80:" + Port()), std::string("127.0.0.1:x"), std::string("127.1"),
        std::string("10.0.0.1"), std::string("0.0.0.0"), std::string("::1"), std::string("[::1"),
        std::string("[::2]"), std::string("localhost@evil"), std::string("localhost:"),
        std::string("localhost:123456")}) {
    const std::string reply = TcpWithHost(host);
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 421 ")) << host;
    EXPECT_THAT(reply, Not(HasSubstr("virtual_alias"))) << host;
  }
  EXPECT_THAT(Unix("GET /healthz HTTP/1.1\r\nHost: anything.example.com\r\n\r\n"),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(HostileAdminTest, OneHostNotNoneNorTwo) {
  EXPECT_THAT(Tcp("GET /status.json HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Tcp("GET /status.json HTTP/1.1\r\nHost:\r\n\r\n"), StartsWith("HTTP/1.1 4"));
  EXPECT_THAT(Tcp("GET /status.json HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  // Health checks of load balancers; no browser asks so.
  EXPECT_THAT(Tcp("GET /healthz HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1."));
  EXPECT_THAT(Tcp("GET /healthz HTTP/1.0\r\n\r\n"), HasSubstr(" 200 OK"));
}

TEST_F(HostileAdminTest, OfPipelinedRequestsTheFirstIsAnswered) {
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string reply = Unix(requests);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(Count(reply, "HTTP/1.1 "), 1u);
  EXPECT_THAT(reply, HasSubstr("Connection: close"));
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(HostileAdminTest, HeadSaysHowLongTheBodyWouldBe) {
  const std::string body = MetricsText(status_);
  const std::string reply = Unix("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(reply, HasSubstr("Content-Length: " + std::to_string(body.size()) + "\r\n"));
  EXPECT_TRUE(reply.ends_with("\r\n\r\n"));
}

// The silent ones are still connected when the others are answered: nothing had to end first.
TEST_F(HostileAdminTest, SilentConnectionsKeepNobodyWaiting) {
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<RawClient>(path_));
    ASSERT_TRUE(silent.back()->connected());
    if (i % 2 == 0) {
      ASSERT_TRUE(silent.back()->Send("GET /healthz HT"));
    }
  }
  EXPECT_EQ(Get("/healthz").status, 200);
  ASSERT_TRUE(silent[0]->Send("TP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_THAT(silent[0]->ReadAll(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HostileAdminTest, OfTooManyConnectionsTheOldestGivesWay) {
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 300; ++i) {
    silent.push_back(std::make_unique<RawClient>(path_));
    ASSERT_TRUE(silent.back()->connected());
  }
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(silent.front()->ReadAll(), "");
}

TEST_F(HostileAdminTest, OneThatReadsNothingKeepsNobodyWaiting) {
  while (MetricsText(status_).size() < 3'000'000) {
    const std::vector<TableStatus> more = status_.tables;
    status_.tables.insert(status_.tables.end(), more.begin(), more.end());
  }
  std::vector<std::unique_ptr<RawClient>> deaf;
  for (int i = 0; i < 5; ++i) {
    deaf.push_back(std::make_unique<RawClient>(path_));
    ASSERT_TRUE(deaf.back()->Send("GET /metrics HTTP/1.0\r\n\r\n"));
  }
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_GT(deaf[0]->ReadAll().size(), 3'000'000u);
}

}  // namespace
}  // namespace proxymux::proxy
