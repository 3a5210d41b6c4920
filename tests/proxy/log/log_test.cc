#include "proxy/log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/socket.h"

namespace proxymux::proxy {
namespace {

// What postlogd(8) or the system's logger is: a bound datagram socket.
class Receiver {
 public:
  explicit Receiver(const std::string& path) : path_(path), fd_(harness::BindDatagrams(path)) {}
  ~Receiver() {
    close(fd_);
    unlink(path_.c_str());
  }

  // Datagrams of a UNIX socket are there as soon as send(2) has returned.
  std::optional<std::string> Next() {
    std::string buffer(65536, '\0');
    const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
    if (size < 0) return std::nullopt;
    buffer.resize(static_cast<std::size_t>(size));
    return buffer;
  }

 private:
  const std::string path_;
  const int fd_;
};

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    char name[] = "/tmp/proxymux-log-XXXXXX";
    directory_ = mkdtemp(name);
    syslog_path_ = directory_ + "/log";
    postlog_path_ = directory_ + "/postlog";
  }
  ~LogTest() override { std::filesystem::remove_all(directory_); }

  LogTarget Target(LogSink sink) const {
    LogTarget target;
    target.sink = sink;
    target.tag = "postfix/proxymux";
    target.facility = LOG_MAIL;
    target.syslog_socket = syslog_path_;
    target.postlog_socket = postlog_path_;
    target.host = "mx1";
    return target;
  }

  std::string directory_;
  std::string syslog_path_;
  std::string postlog_path_;
  const std::string pid_ = std::to_string(getpid());
};

TEST_F(LogTest, PostlogLineHasTheFormatOfPostfix) {
  Receiver postlogd(postlog_path_);
  Logger logger(Target(LogSink::kPostlog));
  logger.Info("table pgsql:/etc/postfix/x.cf is open");
  const auto line = postlogd.Next();
  ASSERT_TRUE(line);
  EXPECT_TRUE(std::regex_match(
      *line, std::regex("(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-3][0-9] "
                        "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] mx1 postfix/proxymux\\[" +
                        pid_ + "\\]: table pgsql:/etc/postfix/x.cf is open")))
      << *line;
}

TEST_F(LogTest, SyslogLineHasPriorityAndNoHost) {
  Receiver syslogd(syslog_path_);
  Logger logger(Target(LogSink::kSyslog));
  logger.Warning("host down");
  const auto line = syslogd.Next();
  ASSERT_TRUE(line);
  EXPECT_TRUE(std::regex_match(
      *line, std::regex("<" + std::to_string(LOG_MAIL | LOG_WARNING) +
                        ">[A-Z][a-z]{2} [ 1-3][0-9] \\d\\d:\\d\\d:\\d\\d postfix/proxymux\\[" +
                        pid_ + "\\]: warning: host down")))
      << *line;
}

TEST_F(LogTest, EverySeverityHasItsPrefixAndPriority) {
  Receiver syslogd(syslog_path_);
  Logger logger(Target(LogSink::kSyslog), LogSeverity::kDebug);
  const struct {
    LogSeverity severity;
    int priority;
    const char* text;
  } cases[] = {
      {LogSeverity::kDebug, LOG_INFO, "]: x"},
      {LogSeverity::kInfo, LOG_INFO, "]: x"},
      {LogSeverity::kWarning, LOG_WARNING, "]: warning: x"},
      {LogSeverity::kError, LOG_ERR, "]: error: x"},
      {LogSeverity::kFatal, LOG_CRIT, "]: fatal: x"},
      {LogSeverity::kPanic, LOG_CRIT, "]: panic: x"},
  };
  for (const auto& expected : cases) {
    logger.Log(expected.severity, "x");
    const auto line = syslogd.Next();
    ASSERT_TRUE(line);
    EXPECT_EQ(line->rfind("<" + std::to_string(LOG_MAIL | expected.priority) + ">", 0), 0u)
        << *line;
    EXPECT_TRUE(line->ends_with(expected.text)) << *line;
  }
}

TEST_F(LogTest, DebugNeedsVerbosityAndWarningsCannotBeSwitchedOff) {
  Receiver syslogd(syslog_path_);
  Logger logger(Target(LogSink::kSyslog));
  logger.Debug("detail");
  EXPECT_FALSE(syslogd.Next());
  EXPECT_FALSE(logger.Enabled(LogSeverity::kDebug));
  logger.SetThreshold(LogSeverity::kDebug);
  logger.Debug("detail");
  EXPECT_TRUE(syslogd.Next());
  logger.SetThreshold(LogSeverity::kPanic);
  logger.Info("news");
  EXPECT_FALSE(syslogd.Next());
  logger.Warning("bad news");
  EXPECT_TRUE(syslogd.Next());
}

TEST_F(LogTest, UnprintableBytesAndLongTextAreMadeHarmless) {
  EXPECT_EQ(LoggableText("a\nb\r\x1b[31m\t\x7f caf\xc3\xa9"), "a?b??[31m?? caf??");
  EXPECT_EQ(LoggableText(std::string("nul\0byte", 8)), "nul?byte");
  Receiver postlogd(postlog_path_);
  Logger logger(Target(LogSink::kPostlog));
  logger.Error(std::string(100000, 'y'));
  const auto line = postlogd.Next();
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->ends_with(": error: " + std::string(2000, 'y'))) << line->size();
  EXPECT_EQ(line->find('\n'), std::string::npos);
}

TEST_F(LogTest, WhenNobodyListensOnPostlogTheLineGoesToSyslog) {
  Receiver syslogd(syslog_path_);
  Logger logger(Target(LogSink::kPostlog));
  logger.Info("first");  // there is no socket at all
  EXPECT_TRUE(syslogd.Next());
  { Receiver gone(postlog_path_); }
  {
    Receiver postlogd(postlog_path_);
    logger.Info("second");
    EXPECT_TRUE(postlogd.Next());
    EXPECT_FALSE(syslogd.Next());
  }
  // A name that a dead process left.
  Receiver* left = new Receiver(postlog_path_);
  std::filesystem::rename(postlog_path_, postlog_path_ + ".kept");
  delete left;
  std::filesystem::rename(postlog_path_ + ".kept", postlog_path_);
  logger.Info("third");
  const auto line = syslogd.Next();
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->ends_with("third"));
  EXPECT_EQ(logger.dropped(), 0u);
}

TEST_F(LogTest, AFullSocketDropsAndCountsAndSaysSoLater) {
  Receiver syslogd(syslog_path_);
  Receiver postlogd(postlog_path_);
  Logger logger(Target(LogSink::kPostlog));
  constexpr std::uint64_t kLines = 5000;  // more than any queue of datagrams holds
  for (std::uint64_t i = 0; i < kLines; ++i) logger.Info("flood");
  const std::uint64_t dropped = logger.dropped();
  ASSERT_GT(dropped, 0u);
  std::uint64_t received = 0;
  while (postlogd.Next()) ++received;
  EXPECT_EQ(received + dropped, kLines);
  EXPECT_FALSE(syslogd.Next());  // full is not gone

  logger.Info("after the flood");
  const auto notice = postlogd.Next();
  ASSERT_TRUE(notice);
  EXPECT_THAT(*notice,
              ::testing::HasSubstr("warning: " + std::to_string(dropped) + " log lines were lost"));
  const auto line = postlogd.Next();
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->ends_with("after the flood"));
}

TEST_F(LogTest, NobodyAnywhereIsCountedAndHarmless) {
  Logger logger(Target(LogSink::kPostlog));
  logger.Fatal("nobody hears this");
  EXPECT_EQ(logger.dropped(), 1u);
  logger.Retarget(Target(LogSink::kSyslog));
  logger.Info("nor this");
  EXPECT_EQ(logger.dropped(), 2u);
}

TEST_F(LogTest, IsRetargetedWhileThreadsLog) {
  Receiver syslogd(syslog_path_);
  Logger logger(Target(LogSink::kSyslog));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&logger] {
      for (int i = 0; i < 200; ++i) logger.Info("busy");
    });
  }
  LogTarget other = Target(LogSink::kSyslog);
  other.tag = "postfix-in/proxymux";
  for (int i = 0; i < 50; ++i) logger.Retarget(other);
  for (std::thread& thread : threads) thread.join();
  while (syslogd.Next()) {
  }
  logger.Info("done");
  const auto notice_or_line = syslogd.Next();
  ASSERT_TRUE(notice_or_line);
  EXPECT_THAT(*notice_or_line, ::testing::HasSubstr("postfix-in/proxymux["));
}

TEST_F(LogTest, StderrLineBeginsWithTheTag) {
  LogTarget target = Target(LogSink::kStderr);
  target.tag = "proxymux";
  testing::internal::CaptureStderr();
  Logger logger(target);
  logger.Error("no such table");
  logger.Info("plain");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "proxymux: error: no such table\nproxymux: plain\n");
}

// A pipe that nobody reads (a stopped pager) must not stop the service.
TEST_F(LogTest, StderrThatNobodyReadsCostsLinesAndNoTime) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int kept = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  std::uint64_t dropped = 0;
  {
    LogTarget target = Target(LogSink::kStderr);
    Logger logger(target);
    for (int i = 0; i < 2000; ++i) logger.Info(std::string(1000, 'x'));
    dropped = logger.dropped();
  }
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(ends[0]);
  close(ends[1]);
  EXPECT_GT(dropped, 1000u);
}

TEST(LogTargets, BeforeMainCfTheEnvironmentDecides) {
  const LogTarget bare = EarlyTarget("", "proxymux", "", "");
  EXPECT_EQ(bare.sink, LogSink::kSyslog);
  EXPECT_EQ(bare.tag, "postfix/proxymux");
  EXPECT_EQ(bare.facility, LOG_MAIL);
  const LogTarget under_master =
      EarlyTarget("postfix-out", "proxymux", "postlog", "mx1.example.com");
  EXPECT_EQ(under_master.sink, LogSink::kPostlog);
  EXPECT_EQ(under_master.tag, "postfix-out/proxymux");
  EXPECT_EQ(under_master.postlog_socket, "public/postlog");
  EXPECT_EQ(under_master.host, "mx1");
}

TEST(LogTargets, FacilityNamesOfMainCf) {
  EXPECT_EQ(SyslogFacility("mail"), LOG_MAIL);
  EXPECT_EQ(SyslogFacility("local0"), LOG_LOCAL0);
  EXPECT_EQ(SyslogFacility("local7"), LOG_LOCAL7);
  EXPECT_EQ(SyslogFacility("user"), LOG_USER);
  EXPECT_EQ(SyslogFacility("daemon"), LOG_DAEMON);
  EXPECT_EQ(SyslogFacility("authpriv"), LOG_AUTHPRIV);
  EXPECT_FALSE(SyslogFacility("local8"));
  EXPECT_FALSE(SyslogFacility("MAIL"));
  EXPECT_FALSE(SyslogFacility(""));
}

}  // namespace
}  // namespace proxymux::proxy
