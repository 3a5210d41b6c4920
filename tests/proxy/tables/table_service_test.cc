// Tables whose files change while they are served: real files, a real loop, pools that nobody
// connects.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/proxy/tables/table_service_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(TableServiceTest, ABrokenTableTakesNoOtherWithIt) {
  harness::WriteFile(Path("good.cf"), kGood);
  harness::WriteFile(Path("broken.cf"), kBroken);
  Serve({"good.cf", "broken.cf", "missing.cf"});
  EXPECT_EQ(registry_->tables().size(), 3u) << "the unix table is none of ours";
  EXPECT_EQ(Find("good.cf")->state, TableState::kOk);
  EXPECT_NE(Find("good.cf")->binding, nullptr);
  EXPECT_EQ(Find("broken.cf")->state, TableState::kBroken);
  EXPECT_EQ(Find("broken.cf")->binding, nullptr);
  EXPECT_THAT(Find("broken.cf")->reason, HasSubstr(Path("broken.cf") + ":2: error: "));
  EXPECT_THAT(service_->Faults(),
              ElementsAre(HasSubstr(Table("broken.cf")), HasSubstr(Table("missing.cf") + ": ")));
  const std::string log = lines_.TakeText();
  EXPECT_THAT(log, HasSubstr("error: table " + Table("broken.cf") + " cannot be used: "));
  EXPECT_THAT(log, HasSubstr("error: table " + Table("missing.cf") + " cannot be used: "));
  EXPECT_THAT(log, Not(HasSubstr("good.cf")));
}

TEST_F(TableServiceTest, AChangedFileReplacesTheBindingAndKeepsTheCounters) {
  harness::WriteFile(Path("x.cf"), kGood);
  Serve({"x.cf"});
  const auto table = Find("x.cf");
  table->counters.lookups = 7;
  const auto before = table->binding;
  harness::WriteFile(Path("x.cf"), kOther);
  RunUntil([&] { return table->binding != before; });
  EXPECT_EQ(Find("x.cf"), table);
  EXPECT_EQ(table->pool->name(), "db2/mail");
  EXPECT_EQ(table->counters.lookups, 7u);
  EXPECT_EQ(before->name, Table("x.cf")) << "lookups in flight still hold it";
  EXPECT_THAT(lines_.TakeText(), HasSubstr("the new version of its file is in use"));
}

// What a table keeps is of one version of it and one reading of the settings.
TEST_F(TableServiceTest, WhateverIsReadAgainEmptiesTheCache) {
  const std::string yaml = std::string(kFast) + "table: {cache: {ttl: 1h}}\n";
  harness::WriteFile(Path("x.cf"), kGood);
  Serve({"x.cf"}, yaml);
  const auto table = Find("x.cf");
  const auto now = loop_.RealNow();
  const auto fill = [&] { table->cache->Keep("user", "box", now, now); };
  const auto entries = [&] { return table->cache->entries(); };
  ASSERT_NE(table->cache, nullptr);
  fill();
  service_->Reload(Config(yaml));
  EXPECT_EQ(entries(), 0u) << "a reload";
  fill();
  harness::WriteFile(Path("x.cf"), kOther);
  RunUntil([&] { return table->pool->name() == "db2/mail"; });
  EXPECT_EQ(entries(), 0u) << "a changed file";
  fill();
  harness::WriteFile(Path("x.cf"), kBroken);
  RunUntil([&] { return table->state == TableState::kStale; });
  ASSERT_NE(table->cache, nullptr) << "the version that stays in use keeps answers";
  EXPECT_EQ(entries(), 0u) << "a changed file that is broken";
  fill();
  service_->Reload(Config(yaml));
  EXPECT_EQ(entries(), 0u) << "a reload of a broken file";
  harness::WriteFile(Path("x.cf"), kGood);
  RunUntil([&] { return table->state == TableState::kOk; });
  service_->Reload(Config(kFast));
  EXPECT_EQ(table->cache, nullptr) << "the settings do not ask for one any more";
}

TEST_F(TableServiceTest, AReloadNamesTheTablesWhoseFilesSaySomethingElse) {
  harness::WriteFile(Path("x.cf"), kGood);
  harness::WriteFile(Path("y.cf"), kGood);
  Serve({"x.cf", "y.cf"});
  EXPECT_THAT(service_->Reload(Config("")), IsEmpty());
  harness::WriteFile(Path("x.cf"), kOther);
  harness::WriteFile(Path("y.cf"), kBroken);
  EXPECT_THAT(service_->Reload(Config("table: {query_timeout: 2s}\n")), ElementsAre(Table("x.cf")));
  harness::WriteFile(Path("y.cf"), kGood);
  EXPECT_THAT(service_->Reload(Config("")), IsEmpty()) << "the version that stayed in use";
}

TEST_F(TableServiceTest, ABrokenNewVersionIsToldAndTheOldOneStaysUntilItIsMended) {
  harness::WriteFile(Path("x.cf"), kGood);
  Serve({"x.cf"});
  const auto table = Find("x.cf");
  const auto before = table->binding;
  harness::WriteFile(Path("x.cf"), kBroken);
  RunUntil([&] { return table->state == TableState::kStale; });
  EXPECT_EQ(table->binding, before);
  EXPECT_NE(table->pool, nullptr);
  EXPECT_THAT(table->reason, HasSubstr(":2: error: "));
  EXPECT_THAT(service_->Faults(), ElementsAre(HasSubstr(":2: error: ")));
  EXPECT_THAT(lines_.TakeText(), HasSubstr("the one before it stays in use"));
  harness::WriteFile(Path("x.cf"), kOther);
  RunUntil([&] { return table->state == TableState::kOk; });
  EXPECT_NE(table->binding, before);
  EXPECT_EQ(table->reason, "");
  EXPECT_THAT(service_->Faults(), IsEmpty());
}

TEST_F(TableServiceTest, ARemovedFileLeavesTheTableInUse) {
  harness::WriteFile(Path("x.cf"), kGood);
  Serve({"x.cf"});
  const auto table = Find("x.cf");
  std::filesystem::remove(Path("x.cf"));
  RunUntil([&] { return table->state == TableState::kStale; });
  EXPECT_NE(table->binding, nullptr);
  EXPECT_THAT(table->reason, HasSubstr("No such file or directory"));
}

TEST_F(TableServiceTest, ATableThatWasBrokenFromTheStartIsServedOnceItsFileIsThere) {
  Serve({"x.cf"});
  const auto table = Find("x.cf");
  EXPECT_EQ(table->state, TableState::kBroken);
  harness::WriteFile(Path("x.cf"), kGood);
  RunUntil([&] { return table->state == TableState::kOk; });
  EXPECT_NE(table->pool, nullptr);
}

TEST_F(TableServiceTest, AListOfDomainsThatChangesIsAChangeOfItsTablesOnly) {
  harness::WriteFile(Path("domains"), "example.com\n");
  harness::WriteFile(Path("x.cf"), std::string(kGood) + "domain = " + Path("domains") + "\n");
  harness::WriteFile(Path("y.cf"), kGood);
  Serve({"x.cf", "y.cf"});
  const auto x = Find("x.cf")->binding;
  const auto y = Find("y.cf")->binding;
  harness::WriteFile(Path("domains"), "example.com example.net\n");
  RunUntil([&] { return Find("x.cf")->binding != x; });
  EXPECT_EQ(Find("y.cf")->binding, y);
}

// The new version names another file: that one counts from then on.
TEST_F(TableServiceTest, WhatTheNewVersionReadsIsWatchedToo) {
  harness::WriteFile(Path("domains"), "example.com\n");
  harness::WriteFile(Path("x.cf"), kGood);
  Serve({"x.cf"});
  auto binding = Find("x.cf")->binding;
  harness::WriteFile(Path("x.cf"), std::string(kGood) + "domain = " + Path("domains") + "\n");
  RunUntil([&] { return Find("x.cf")->binding != binding; });
  binding = Find("x.cf")->binding;
  harness::WriteFile(Path("domains"), "example.net\n");
  RunUntil([&] { return Find("x.cf")->binding != binding; });
  binding = Find("x.cf")->binding;
  harness::WriteFile(Path("x.cf"), kGood);
  RunUntil([&] { return Find("x.cf")->binding != binding; });
  binding = Find("x.cf")->binding;
  harness::WriteFile(Path("domains"), "example.org\n");
  RunFor(milliseconds(100));
  EXPECT_EQ(Find("x.cf")->binding, binding);
}

TEST_F(TableServiceTest, OtherSettingsReachEveryTable) {
  harness::WriteFile(Path("x.cf"), kGood);
  Serve({"x.cf"});
  EXPECT_EQ(Find("x.cf")->binding->settings.query_timeout, milliseconds(10000));
  service_->Reload(Config("table: {query_timeout: 2s}\n"));
  EXPECT_EQ(Find("x.cf")->binding->settings.query_timeout, milliseconds(2000));
}

TEST_F(TableServiceTest, AStartWithABrokenSectionServesTheTableOnceItIsMended) {
  harness::WriteFile(Path("x.cf"), kGood);
  harness::WriteFile(Path("y.cf"), kGood);
  Serve({"x.cf", "y.cf"}, "tables: {'" + Table("x.cf") + "': {query_timeout: soon}}\n");
  EXPECT_EQ(Find("x.cf")->state, TableState::kBroken);
  EXPECT_EQ(Find("x.cf")->binding, nullptr);
  EXPECT_EQ(Find("y.cf")->state, TableState::kOk);
  service_->Reload(Config("tables: {'" + Table("x.cf") + "': {query_timeout: 3s}}\n"));
  EXPECT_EQ(Find("x.cf")->state, TableState::kOk);
  EXPECT_EQ(Find("x.cf")->binding->settings.query_timeout, milliseconds(3000));
}

TEST_F(TableServiceTest, EveryErrorOfAFileIsLoggedOnce) {
  harness::WriteFile(Path("x.cf"), "no equals sign\nnone here either\n");
  Serve({"x.cf"});
  const std::string log = lines_.TakeText();
  for (const char* line : {"x.cf:1: ", "x.cf:2: "}) {
    const std::size_t first = log.find(line);
    ASSERT_NE(first, std::string::npos) << log;
    EXPECT_EQ(log.find(line, first + 1), std::string::npos) << log;
  }
}

}  // namespace
}  // namespace proxymux::proxy
