// What one lookup costs in allocations of ours: none, once everything has grown to its size. The
// real loop, sessions, router, pool and libpq against a real server; only our thread and operator
// new are counted, libpq's own malloc() is not.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "config/yaml/yaml_loader.h"
#include "protocol/request_encoder.h"
#include "proxy/clients/uv_clients.h"
#include "proxy/log/log.h"
#include "proxy/log/message_log.h"
#include "proxy/requests/coalescer.h"
#include "proxy/requests/request_router.h"
#include "proxy/tables/pool_log.h"
#include "proxy/tables/table_service.h"
#include "proxy/uv/uv_event_loop.h"
#include "tests/harness/allocations.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::allocations;
using harness::counting;

constexpr int kWarmUp = 3000;
// Few, and often: what is done once or twice a second, such as to prepare a statement anew, may
// allocate, and is not in every measurement. One for each lookup, or for one in so many, is.
constexpr int kMeasured = 200;
// A machine that stands still for a while makes queues longer than any before, and a second
// connection: what has grown to its size after that is measured again.
constexpr int kMeasurements = 200;

// The service in this thread, for one table, without its stock side.
class Service {
 public:
  explicit Service(const std::string& name)
      : logger_(Target()),
        log_(&logger_, &loop_),
        pool_log_(&log_),
        pools_(&loop_, &pool_log_),
        loader_(&pools_, config::MailVersion{3, 7}, true, &main_cf_, "main.cf"),
        registry_({name}),
        tables_(&registry_, &loader_, &loop_, &log_),
        router_(&registry_, &coalescer_, nullptr, nullptr, &loop_, &log_, true),
        clients_(&loop_, &router_, &log_, {1000, 64 << 10, false}, [] {}) {
    harness::CountAllocationsOfThisThread();
    std::signal(SIGPIPE, SIG_IGN);
    tables_.LoadAll(std::make_shared<proxy::ServiceConfig>(
        config::LoadConfigText("pool:\n  connections: 2\n", "proxymux.yaml")));
  }

  int NewClient() {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    clients_.Adopt(pair[0]);
    return pair[1];
  }
  // Until every client has gone.
  void Run() {
    clients_.NotifyWhenEmpty([this] { loop_.Stop(); });
    loop_.Run();
  }

 private:
  static proxy::LogTarget Target() {
    proxy::LogTarget target;
    target.sink = proxy::LogSink::kStderr;
    target.tag = "test";
    return target;
  }

  proxy::UvEventLoop loop_;
  proxy::Logger logger_;
  proxy::MessageLog log_;
  proxy::PoolLog pool_log_;
  std::vector<config::MainCfSetting> main_cf_;
  pgsql::PgPools pools_;
  proxy::TableLoader loader_;
  proxy::TableRegistry registry_;
  proxy::TableService tables_;
  proxy::Coalescer coalescer_{&loop_};
  proxy::RequestRouter router_;
  proxy::UvClients clients_;
};

// One lookup of each client at a time; `rounds` times.
void Ask(const std::vector<int>& clients, const std::string& table, int first, int rounds) {
  std::string request;
  char reply[512];
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      request.clear();
      const std::string key = harness::AliasOf(
          1 + (first + round * static_cast<int>(clients.size()) + static_cast<int>(i)) % kUsers);
      protocol::AppendRequest(
          {protocol::Dialect::kLegacy, 0, protocol::LookupRequest{table, 0, 524353, key}},
          &request);
      ASSERT_EQ(write(clients[i], request.data(), request.size()),
                static_cast<ssize_t>(request.size()));
    }
    for (const int client : clients) {
      const ssize_t size = read(client, reply, sizeof(reply));
      ASSERT_GT(size, 0);
      ASSERT_NE(std::string_view(reply, static_cast<std::size_t>(size)).find("store.example.net"),
                std::string_view::npos);
    }
  }
}

TEST(Allocations, TheCounterCounts) {
  harness::CountAllocationsOfThisThread();
  allocations = 0;
  counting = true;
  const std::string text(100, 'x');
  counting = false;
  EXPECT_EQ(allocations, 1U) << text.size();
}

class AllocationsOf : public testing::TestWithParam<std::pair<int, const char*>> {};

TEST_P(AllocationsOf, NoneForALookupInTheSteadyState) {
  const auto [count, mode] = GetParam();
  const std::string file = MailWorld::Instance().NewDirectory() + ".cf";
  std::ofstream(file) << harness::TableText(MailWorld::Instance().first().TcpHost(),
                                            "SELECT goto FROM alias WHERE address = '%s'",
                                            std::string("statement_mode = ") + mode + "\n");
  const std::string table = "pgsql:" + file;
  Service service(table);
  std::vector<int> clients;
  for (int i = 0; i < count; ++i) clients.push_back(service.NewClient());
  allocations = kMeasured;
  std::thread asking([&, rounds = count] {
    Ask(clients, table, 1, kWarmUp / rounds);
    for (int i = 0; i < kMeasurements && allocations > 0; ++i) {
      allocations = 0;
      counting = true;
      Ask(clients, table, 7, kMeasured / rounds);
      counting = false;
    }
    for (const int client : clients) close(client);
  });
  service.Run();
  asking.join();
  EXPECT_EQ(allocations, 0U) << "in " << kMeasured << " lookups";
}

INSTANTIATE_TEST_SUITE_P(Loads, AllocationsOf,
                         testing::Values(std::make_pair(1, "auto"), std::make_pair(20, "auto"),
                                         std::make_pair(1, "legacy"),
                                         std::make_pair(20, "parameterized")));

}  // namespace
}  // namespace proxymux::integration
