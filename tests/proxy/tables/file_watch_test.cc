// Files under watch, look by look: the loop here turns only when the test says so.
#include "proxy/tables/file_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "proxy/uv/uv_event_loop.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest()
      : watch_(&loop_, milliseconds(1), [this](const std::set<std::string>& files) {
          for (const std::string& file : files)
            reported_.push_back(file.substr(file.rfind('/') + 1));
          loop_.Stop();
        }) {}

  std::string Path(const std::string& name) const { return directory_ / name; }
  void Watch(const std::vector<std::string>& names) {
    std::map<std::string, FileSignature> files;
    for (const std::string& name : names) files.emplace(Path(name), FileSignature::Of(Path(name)));
    watch_.Watch(files);
  }
  void RewriteInPlace(const std::string& name, const std::string& text) {
    std::ofstream(Path(name), std::ios::trunc) << text;
  }
  // One look after the other until something is reported.
  std::vector<std::string> UntilReported() {
    loop_.Run();
    return std::exchange(reported_, {});
  }
  // As long as several looks take.
  std::vector<std::string> DuringSomeLooks() {
    auto end = loop_.NewTimer([this] { loop_.Stop(); });
    end->Start(milliseconds(50));
    loop_.Run();
    return std::exchange(reported_, {});
  }

  harness::TempDirectory directory_;
  UvEventLoop loop_;
  std::vector<std::string> reported_;
  FileWatch watch_;
};

TEST_F(FileWatchTest, NothingIsToldOfFilesThatStayAsTheyAre) {
  harness::WriteFile(Path("a.cf"), "a");
  Watch({"a.cf", "none.cf"});
  EXPECT_THAT(DuringSomeLooks(), IsEmpty());
}

TEST_F(FileWatchTest, AReplacedFileIsReportedOnce) {
  harness::WriteFile(Path("a.cf"), "old");
  harness::WriteFile(Path("b.cf"), "old");
  Watch({"a.cf", "b.cf"});
  harness::WriteFile(Path("a.cf"), "new");
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
  EXPECT_THAT(DuringSomeLooks(), IsEmpty());
}

TEST_F(FileWatchTest, ReplacementOfTheSameSizeAndTimeIsSeen) {
  harness::WriteFile(Path("a.cf"), "old");
  const auto time = std::filesystem::last_write_time(Path("a.cf"));
  Watch({"a.cf"});
  harness::WriteFile(Path("new"), "new");
  std::filesystem::last_write_time(Path("new"), time);
  std::filesystem::rename(Path("new"), Path("a.cf"));
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
}

TEST_F(FileWatchTest, AFileRewrittenInPlaceIsReported) {
  harness::WriteFile(Path("a.cf"), "old text");
  Watch({"a.cf"});
  RewriteInPlace("a.cf", "new text, longer");
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
}

TEST_F(FileWatchTest, RemovedAndMadeAgainAreChangesBoth) {
  harness::WriteFile(Path("a.cf"), "a");
  Watch({"a.cf"});
  std::filesystem::remove(Path("a.cf"));
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
  harness::WriteFile(Path("a.cf"), "a");
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
}

TEST_F(FileWatchTest, AFileThatWasMissingIsReportedWhenItIsMade) {
  Watch({"a.cf"});
  harness::WriteFile(Path("a.cf"), "a");
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
}

TEST_F(FileWatchTest, AccessRightsCountSinceTheyDecideWhetherItCanBeRead) {
  harness::WriteFile(Path("a.cf"), "a", 0600);
  Watch({"a.cf"});
  ASSERT_EQ(chmod(Path("a.cf").c_str(), 0644), 0);
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
}

TEST_F(FileWatchTest, TheTargetOfALinkIsWatched) {
  harness::WriteFile(Path("one.cf"), "1");
  harness::WriteFile(Path("two.cf"), "2");
  std::filesystem::create_symlink("one.cf", Path("a.cf"));
  Watch({"a.cf"});
  std::filesystem::remove(Path("a.cf"));
  std::filesystem::create_symlink("two.cf", Path("a.cf"));
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
}

TEST_F(FileWatchTest, AFileThatIsNoLongerWatchedIsForgotten) {
  harness::WriteFile(Path("a.cf"), "a");
  harness::WriteFile(Path("b.cf"), "b");
  Watch({"a.cf", "b.cf"});
  Watch({"b.cf"});
  harness::WriteFile(Path("a.cf"), "changed");
  EXPECT_THAT(DuringSomeLooks(), IsEmpty());
  Watch({});
  harness::WriteFile(Path("b.cf"), "changed");
  EXPECT_THAT(DuringSomeLooks(), IsEmpty());
}

TEST_F(FileWatchTest, WhatChangedBetweenTheReadingAndTheWatchIsNotMissed) {
  harness::WriteFile(Path("a.cf"), "as it was read");
  std::map<std::string, FileSignature> files = {{Path("a.cf"), FileSignature::Of(Path("a.cf"))}};
  harness::WriteFile(Path("a.cf"), "changed since");
  watch_.Watch(files);
  EXPECT_THAT(UntilReported(), ElementsAre("a.cf"));
}

TEST_F(FileWatchTest, SeveralChangesComeTogetherOrOneByOneButAllCome) {
  harness::WriteFile(Path("a.cf"), "a");
  harness::WriteFile(Path("b.cf"), "b");
  Watch({"a.cf", "b.cf"});
  harness::WriteFile(Path("a.cf"), "changed");
  harness::WriteFile(Path("b.cf"), "changed");
  std::vector<std::string> all;
  while (all.size() < 2) {
    for (std::string& name : UntilReported()) all.push_back(std::move(name));
  }
  EXPECT_THAT(all, UnorderedElementsAre("a.cf", "b.cf"));
}

// A loop whose looks happen one by one: the file changes between them as the test wants it.
class SteppedLoop final : public pgsql::EventLoop {
 public:
  // A look: first the worker's part, then the loop's.
  void Look() {
    BeginLook();
    EndLook();
  }
  void BeginLook() {
    expiry_();
    std::exchange(work_, nullptr)();
  }
  void EndLook() { std::exchange(done_, nullptr)(); }

  pgsql::Time Now() const override { return {}; }
  pgsql::RealTime RealNow() const override { return {}; }
  std::unique_ptr<pgsql::Timer> NewTimer(std::function<void()> on_expiry) override {
    expiry_ = std::move(on_expiry);
    return std::make_unique<NoTimer>();
  }
  std::unique_ptr<pgsql::PendingCall> RunBlocking(std::function<void()> work,
                                                  std::function<void()> done) override {
    work_ = std::move(work);
    done_ = std::move(done);
    return std::make_unique<pgsql::PendingCall>();
  }
  std::unique_ptr<pgsql::SocketWatch> WatchSocket(int, std::function<void(bool, bool)>) override {
    return nullptr;
  }
  std::unique_ptr<pgsql::PendingCall> Resolve(const std::string&,
                                              std::function<void(pgsql::ResolveResult)>) override {
    return nullptr;
  }
  void AtEndOfTurn(std::function<void()>) override {}
  std::unique_ptr<pgsql::TurnTask> NewTurnTask(std::function<void()>) override { return nullptr; }

 private:
  struct NoTimer final : pgsql::Timer {
    void Start(pgsql::Duration) override {}
    void Stop() override {}
  };
  std::function<void()> expiry_;
  std::function<void()> work_;
  std::function<void()> done_;
};

TEST(FileWatchSteps, AFileWrittenInTwoHalvesIsReportedWhenItHasSettled) {
  harness::TempDirectory directory;
  const std::string path = directory / "a.cf";
  harness::WriteFile(path, "old");
  SteppedLoop loop;
  int reports = 0;
  FileWatch watch(&loop, milliseconds(1), [&](const std::set<std::string>&) {
    ++reports;
    EXPECT_EQ(harness::ReadFile(path), "first half, second half");
  });
  watch.Watch({{path, FileSignature::Of(path)}});
  std::ofstream file(path, std::ios::trunc);
  file << "first half," << std::flush;
  loop.Look();
  EXPECT_EQ(reports, 0) << "it has changed only just now";
  file << " second half" << std::flush;
  loop.Look();
  EXPECT_EQ(reports, 0) << "it changed again";
  loop.Look();
  EXPECT_EQ(reports, 1);
  loop.Look();
  loop.Look();
  EXPECT_EQ(reports, 1);
}

TEST(FileWatchSteps, AFileThatIsGoneForAMomentIsNotReportedAsGone) {
  harness::TempDirectory directory;
  const std::string path = directory / "a.cf";
  harness::WriteFile(path, "old");
  SteppedLoop loop;
  int reports = 0;
  FileWatch watch(&loop, milliseconds(1), [&](const std::set<std::string>&) {
    ++reports;
    EXPECT_EQ(harness::ReadFile(path), "new");
  });
  watch.Watch({{path, FileSignature::Of(path)}});
  std::filesystem::remove(path);  // as an editor does
  loop.Look();
  harness::WriteFile(path, "new");
  loop.Look();
  loop.Look();
  EXPECT_EQ(reports, 1);
}

TEST(FileWatchSteps, AReloadDuringALookIsNotUndoneByIt) {
  harness::TempDirectory directory;
  const std::string path = directory / "a.cf";
  harness::WriteFile(path, "old");
  SteppedLoop loop;
  int reports = 0;
  FileWatch watch(&loop, milliseconds(1), [&](const std::set<std::string>&) { ++reports; });
  watch.Watch({{path, FileSignature::Of(path)}});
  loop.Look();
  loop.BeginLook();
  harness::WriteFile(path, "new");
  // Read again for another reason: what the watch is about to tell is older than what is known.
  watch.Watch({{path, FileSignature::Of(path)}});
  loop.EndLook();
  for (int i = 0; i < 4; ++i) loop.Look();
  EXPECT_EQ(reports, 0);
}

}  // namespace
}  // namespace proxymux::proxy
