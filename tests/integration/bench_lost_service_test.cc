// `proxymux bench` against services that read requests and do not answer them, or are gone in the
// middle of a run: what is lost is noticed, and no success.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "protocol/reply.h"
#include "tests/harness/socket.h"
#include "tests/integration/bench_run.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

// No real service does this. It greets, and of each connection reads one request and closes.
TEST(Bench, RequestsThatAreReadAndNotAnsweredAreLost) {
  const std::string path = MailWorld::Instance().directory() + "/reads-only";
  const int listener = harness::ListenUnix(path);
  std::thread server([listener] {
    std::string greeting;
    protocol::AppendGreeting(&greeting);
    for (int fd; (fd = ::accept(listener, nullptr, nullptr)) >= 0; ::close(fd)) {
      char request[4096];
      if (::send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL) < 0) continue;
      if (::recv(fd, request, sizeof(request), 0) <= 0) continue;
    }
  });
  const Outcome run = BenchJson({"--socket", path, "--table", "pgsql:x", "--key-pattern", "%d",
                                 "-t", "3", "--warm-up", "0s"});
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_EQ(run.document["counts"]["lost"], 3) << run.document;
  EXPECT_EQ(run.document["counts"]["lookups"], 3) << run.document;
  ::shutdown(listener, SHUT_RDWR);  // ends accept()
  server.join();
  ::close(listener);
}

// A service that answers three lookups and is gone with the fourth unread, as if it had crashed.
// `stays`: its socket is there as before, as master(8) keeps it, and nobody accepts.
Outcome BenchOfWhatVanishes(const std::string& path, bool stays, const std::string& length,
                            const std::string& value) {
  const int listener = harness::ListenUnix(path);
  std::thread server([listener, &path, stays] {
    std::string greeting, reply;
    protocol::AppendGreeting(&greeting);
    protocol::AppendReply(protocol::RequestKind::kLookup, protocol::Dialect::kLegacy,
                          {protocol::Status::kOk, 0, {}, "v"}, &reply);
    const int fd = ::accept(listener, nullptr, nullptr);
    char request[4096];
    EXPECT_GT(::send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL), 0);
    for (int i = 0; i < 3; ++i) {
      EXPECT_GT(::recv(fd, request, sizeof(request), 0), 0);
      EXPECT_GT(::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL), 0);
    }
    EXPECT_GT(::recv(fd, request, sizeof(request), MSG_PEEK), 0);
    if (!stays) {
      ::unlink(path.c_str());
      ::close(listener);
    }
    ::close(fd);
  });
  Outcome run =
      BenchJson({"--socket", path, "--table", "pgsql:x", "--key-pattern", "%d", "--dialect",
                 "legacy", "--connect-timeout", "1s", length, value, "--warm-up", "0s"});
  server.join();
  if (stays) ::close(listener);
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_EQ(run.document["counts"]["ok"], 2) << "the first was sent before the window\n"
                                             << run.document;
  EXPECT_EQ(run.document["counts"]["lost"], 0) << run.document;
  return run;
}

TEST(Bench, AServiceThatIsGoneAtTheEndIsNoSuccess) {
  const std::string path = MailWorld::Instance().directory() + "/vanishes";
  const Outcome gone = BenchOfWhatVanishes(path, false, "-T", "3s");
  EXPECT_EQ(gone.document["gone"], "No such file or directory") << gone.document;
  const Outcome silent = BenchOfWhatVanishes(path + "-2", true, "-T", "3s");
  EXPECT_EQ(silent.document["gone"], "it takes clients and does not greet them");
}

TEST(Bench, ARunOfSoManyLookupsEndsWhenTheServiceIsGone) {
  const std::string path = MailWorld::Instance().directory() + "/vanishes";
  const Outcome gone = BenchOfWhatVanishes(path + "-3", false, "-t", "1000");
  EXPECT_EQ(gone.document["gone"], "No such file or directory") << gone.document;
  const Outcome silent = BenchOfWhatVanishes(path + "-4", true, "-t", "1000");
  EXPECT_EQ(silent.document["gone"], "it takes clients and does not greet them");
}

}  // namespace
}  // namespace proxymux::integration
