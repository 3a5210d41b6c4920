// How processes of the real stock proxymap end, and what becomes of requests when one is killed,
// stuck or not there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <vector>

#include "proxy/relay/uv_relay.h"
#include "tests/proxy/relay/uv_relay_stock_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;

class UvRelayStockLifetime : public UvRelayStock {};

TEST_F(UvRelayStockLifetime, KilledInTheMiddleOfARequestTheRequestIsRepeated) {
  SlowTable slow(&loop_);
  Start({slow.table()});
  auto answer = Submit(slow.table(), Lookup(slow.table(), "k"));
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 1; }));
  const std::vector<pid_t> before = StockProcesses();
  ASSERT_EQ(before.size(), 1u);
  kill(before[0], SIGKILL);
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 2; }));
  ASSERT_EQ(StockProcesses().size(), 1u);
  EXPECT_NE(StockProcesses(), before);
  slow.AnswerAll();
  EXPECT_EQ(Wait(*answer), Found("late"));
  EXPECT_EQ(relay_->Status().restarts, 1u);
  EXPECT_GE(log_.warnings, 1);
}

TEST_F(UvRelayStockLifetime, KilledAgainItFailsAndTheNextRequestIsServed) {
  SlowTable slow(&loop_);
  Start({slow.table(), "inline:{a=b}"});
  auto answer = Submit(slow.table(), Lookup(slow.table(), "k"));
  for (std::size_t i = 1; i <= 2; ++i) {
    ASSERT_TRUE(RunUntil([&] { return slow.questions() == i; }));
    kill(StockProcesses().at(0), SIGKILL);
  }
  EXPECT_EQ(Wait(*answer).substr(0, 7), "failed:");
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
}

TEST_F(UvRelayStockLifetime, KilledWhileIdleIsReplacedUnseen) {
  Start({"inline:{a=b}"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
    kill(StockProcesses().at(0), SIGKILL);
  }
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  EXPECT_EQ(relay_->Status().failures, 0u);
}

TEST_F(UvRelayStockLifetime, StuckLookupTimesOutAndItsProcessIsEnded) {
  SlowTable slow(&loop_);
  RelayOptions options = SpawnOptions();
  options.policy.request_timeout = milliseconds(500);
  options.launch.approved = {slow.table()};
  Start(options);
  EXPECT_NE(Ask(slow.table(), "k").find("timed out"), std::string::npos);
  EXPECT_TRUE(RunUntil([] { return StockProcesses().empty(); }));
  EXPECT_EQ(relay_->Status().kills, 1u);
}

TEST_F(UvRelayStockLifetime, IdleProcessEndsByItself) {
  RelayOptions options = SpawnOptions();
  options.policy.process_idle = milliseconds(300);
  options.policy.connection_idle = milliseconds(100);
  options.launch.approved = {"inline:{a=b}"};
  Start(options);
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  EXPECT_EQ(StockProcesses().size(), 1u);
  EXPECT_TRUE(RunUntil([&] { return relay_->Status().processes == 0; }));
  EXPECT_EQ(relay_->Status().kills, 0u) << "closing the status socket must have been enough";
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
}

TEST_F(UvRelayStockLifetime, SequenceThatKillsStockFailsCleanly) {
  Start({"unix:passwd.byname", "inline:{a=b}"});
  const auto lease = relay_->NewLease();
  const std::string table = "unix:passwd.byname";
  const std::string reply =
      Wait(*Submit(table, Sequence(table, "0"), SequenceStep::kFirst, lease.get()));
  EXPECT_EQ(reply.substr(0, 7), "failed:");
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
}

TEST_F(UvRelayStockLifetime, ProgramThatIsNotThereFailsRequestsWithTheReason) {
  RelayOptions options = SpawnOptions();
  options.launch.program = g_root + "/no-such-program";
  Start(options);
  const std::string reply = Ask("inline:{a=b}", "a");
  EXPECT_NE(reply.find("no-such-program"), std::string::npos) << reply;
  EXPECT_LE(relay_->Status().starts, 3u);
}

TEST_F(UvRelayStockLifetime, ProgramThatEndsAtOnceFailsRequestsWithTheReason) {
  RelayOptions options = SpawnOptions();
  options.launch.program = "/bin/false";
  Start(options);
  const std::string reply = Ask("inline:{a=b}", "a");
  EXPECT_NE(reply.find("exit status 1"), std::string::npos) << reply;
  EXPECT_LE(relay_->Status().starts, 3u);
}

TEST_F(UvRelayStockLifetime, StopInTheMiddleOfASlowLookupLeavesNothing) {
  SlowTable slow(&loop_);
  Start({slow.table()});
  auto answer = Submit(slow.table(), Lookup(slow.table(), "k"));
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 1; }));
  bool stopped = false;
  relay_->Stop([&] { stopped = true; });
  ASSERT_TRUE(RunUntil([&] { return stopped; }));
  ASSERT_TRUE(answer->reply.has_value());
  EXPECT_EQ(answer->reply->outcome, RelayOutcome::kFailed);
  EXPECT_TRUE(StockProcesses().empty());
}

TEST_F(UvRelayStockLifetime, DestroyedWithoutStopItKillsItsProcesses) {
  Start({"inline:{a=b}"});
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  relay_.reset();
  EXPECT_TRUE(RunUntil([] { return StockProcesses().empty(); }));
}

TEST_F(UvRelayStockLifetime, ServiceThatIsNotThereFailsRequestsSoon) {
  RelayOptions options;
  options.service_socket = g_root + "/queue/private/proxymap";
  Start(options);
  const std::string reply = Ask("inline:{a=b}", "a");
  EXPECT_NE(reply.find("private/proxymap: no such file"), std::string::npos) << reply;
}

TEST_F(UvRelayStockLifetime, StockEndsWhenItsParentIsKilled) {
  // A process of its own starts the relay, tells us the number of its stock daemon and is killed.
  // We take in its orphans.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    Log log;
    RelayOptions options = SpawnOptions();
    options.launch.approved = {"inline:{a=b}"};
    UvRelay relay(&loop, options, &log);
    const auto ticket =
        relay.Submit({Lookup("inline:{a=b}", "a"), "inline:{a=b}"}, nullptr, [&](RelayReply) {
          const pid_t pid = StockProcesses().at(0);
          if (write(pipe_ends[1], &pid, sizeof pid) < 0) _exit(1);
        });
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(1);
  }
  pid_t stock = 0;
  ASSERT_EQ(read(pipe_ends[0], &stock, sizeof stock), static_cast<ssize_t>(sizeof stock));
  kill(parent, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  ASSERT_EQ(waitpid(stock, &status, 0), stock);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace proxymux::proxy
