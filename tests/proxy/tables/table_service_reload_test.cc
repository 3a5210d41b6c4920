// Settings that are read again while a table's own files cannot be: the service has given up root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tests/proxy/tables/table_service_fixture.h"

namespace proxymux::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kTls[] = "pools: {\"db1/mail\": {sslmode: verify-full}}\n";

// While it lives the process reads files as somebody to whom nothing belongs. Needs root.
class WithoutRoot {
 public:
  WithoutRoot() { EXPECT_EQ(seteuid(65534), 0) << std::strerror(errno) << ": run as root"; }
  ~WithoutRoot() { EXPECT_EQ(seteuid(0), 0) << std::strerror(errno); }
};

class TableServiceReloadTest : public TableServiceTest {
 protected:
  TableServiceReloadTest() { ReachableBy(0755); }
  void ReachableBy(mode_t mode) { ASSERT_EQ(chmod(directory_.path().c_str(), mode), 0); }
  void Write(const std::string& name, const std::string& text, int mode = 0644) {
    harness::WriteFile(Path(name), text, mode);
  }
  void ReloadWithoutRoot(const std::string& yaml) {
    const WithoutRoot without_root;
    service_->Reload(Config(kFast + yaml));
  }
  // By libpq's name, as the pool's connections will be made.
  static std::string SslMode(const ServedTable& table) { return table.pool->settings().sslmode; }
};

TEST_F(TableServiceReloadTest, SettingsReachATableWhoseFileOnlyRootMayRead) {
  Write("x.cf", kGood, 0600);
  Serve({"x.cf"});
  const auto table = Find("x.cf");
  const auto plain = table->pool;
  ReloadWithoutRoot(std::string(kTls) + "table: {query_timeout: 2s}\n");
  EXPECT_EQ(SslMode(*table), "verify-full");
  EXPECT_NE(table->pool, plain) << "connections of the other kind";
  EXPECT_EQ(table->binding->settings.query_timeout, std::chrono::milliseconds(2000));
  EXPECT_EQ(table->state, TableState::kOk) << table->reason;
  ReloadWithoutRoot("");
  EXPECT_EQ(SslMode(*table), "") << "and again";
}

TEST_F(TableServiceReloadTest, SettingsReachATableInADirectoryOfRootsOnly) {
  Write("x.cf", kGood);
  Serve({"x.cf"});
  ReachableBy(0700);
  ReloadWithoutRoot(kTls);
  EXPECT_EQ(SslMode(*Find("x.cf")), "verify-full");
  EXPECT_EQ(Find("x.cf")->state, TableState::kOk);
  ReloadWithoutRoot("");
  EXPECT_EQ(SslMode(*Find("x.cf")), "");
}

// A member that cannot be looked up would make lookups RETRY that had an answer.
TEST_F(TableServiceReloadTest, ADomainListThatOnlyRootMayReadStays) {
  Write("domains", "example.com\n", 0600);
  Write("x.cf", std::string(kGood) + "domain = " + Path("domains") + "\n");
  Serve({"x.cf"});
  ReloadWithoutRoot(kTls);
  const auto table = Find("x.cf");
  EXPECT_EQ(SslMode(*table), "verify-full");
  EXPECT_EQ(table->binding->table->domain().Evaluate("example.com").verdict,
            pgsql::DomainFilter::Verdict::kMatch);
  EXPECT_EQ(table->binding->table->domain().Evaluate("example.org").verdict,
            pgsql::DomainFilter::Verdict::kNoMatch);
  EXPECT_EQ(table->state, TableState::kOk);
}

TEST_F(TableServiceReloadTest, AListThatChangesIsTakenUpThoughOnlyRootMayReadTheTable) {
  Write("domains", "example.com\n");
  Write("x.cf", std::string(kGood) + "domain = " + Path("domains") + "\n", 0600);
  Serve({"x.cf"});
  const auto before = Find("x.cf")->binding;
  Write("domains", "example.com example.net\n");
  const WithoutRoot without_root;
  RunUntil([&] { return Find("x.cf")->binding != before; });
  EXPECT_EQ(Find("x.cf")->binding->table->domain().Evaluate("example.net").verdict,
            pgsql::DomainFilter::Verdict::kMatch);
  EXPECT_EQ(Find("x.cf")->state, TableState::kOk);
}

// Whatever is wrong with its file now: the version in use gets the new settings.
TEST_F(TableServiceReloadTest, SettingsReachTheVersionThatStaysInUse) {
  for (const char* fault : {"broken", "gone", "changed and for root only"}) {
    SCOPED_TRACE(fault);
    Write("x.cf", kGood);
    Serve({"x.cf"});
    const auto table = Find("x.cf");
    if (fault == std::string("broken")) Write("x.cf", kBroken);
    if (fault == std::string("gone")) std::filesystem::remove(Path("x.cf"));
    if (fault == std::string("changed and for root only")) Write("x.cf", kOther, 0600);
    ReloadWithoutRoot(kTls);
    EXPECT_EQ(table->state, TableState::kStale);
    EXPECT_NE(table->reason, "");
    EXPECT_EQ(SslMode(*table), "verify-full");
    ReloadWithoutRoot("");
    EXPECT_EQ(SslMode(*table), "") << "the text is still known";
    Write("x.cf", kOther);
    ReloadWithoutRoot("");
    EXPECT_EQ(table->state, TableState::kOk);
    EXPECT_EQ(table->pool->name(), "db2/mail");
  }
}

// The section may have been meant for this pool: it must not go on in plain text, known or not.
TEST_F(TableServiceReloadTest, ASectionForTlsThatNamesNoPoolStopsWhatItMayHaveMeant) {
  constexpr char kMisnamed[] = "pools: {\"db1,db3/mail\": {sslmode: verify-full}}\n";
  Write("x.cf", kGood);
  Serve({"x.cf"});
  ReloadWithoutRoot(kMisnamed);
  const auto table = Find("x.cf");
  EXPECT_EQ(table->state, TableState::kBroken);
  EXPECT_EQ(table->binding, nullptr);
  EXPECT_THAT(table->reason, HasSubstr("names no pool"));
  EXPECT_THAT(service_->Faults(), ElementsAre(HasSubstr("names no pool")));
  ReloadWithoutRoot(kTls);
  EXPECT_EQ(table->state, TableState::kOk);
  EXPECT_EQ(SslMode(*table), "verify-full");
  EXPECT_THAT(service_->Faults(), IsEmpty());
}

// Its pool's section still has that pool's name, so the version in use keeps its TLS.
TEST_F(TableServiceReloadTest, AChangedTableThatLeavesItsSectionIsNotTakenUp) {
  Write("x.cf", kGood);
  Serve({"x.cf"}, std::string(kFast) + kTls);
  Write("x.cf", "hosts = db1 db2\ndbname = mail\nquery = SELECT 1\n");
  const auto table = Find("x.cf");
  RunUntil([&] { return table->state == TableState::kStale; });
  ReloadWithoutRoot(kTls);
  EXPECT_EQ(table->state, TableState::kStale);
  EXPECT_EQ(table->pool->name(), "db1/mail");
  EXPECT_EQ(SslMode(*table), "verify-full");
  EXPECT_THAT(lines_.TakeText(), Not(HasSubstr("cannot be used")));
}

// A table that is broken has no pool, and names none.
TEST_F(TableServiceReloadTest, ASectionThatNamesAnotherTablesPoolStopsNoChangedTable) {
  Write("x.cf", kGood);
  Write("y.cf", kGood);
  Write("z.cf", kBroken);
  Serve({"x.cf", "y.cf", "z.cf"}, std::string(kFast) + kTls);
  const auto table = Find("x.cf");
  const auto before = table->binding;
  Write("x.cf", "hosts = db1 db2\ndbname = mail\nquery = SELECT 1\n");
  RunUntil([&] { return table->binding != before || table->state != TableState::kOk; });
  EXPECT_EQ(table->state, TableState::kOk) << table->reason;
  EXPECT_EQ(table->pool->name(), "db1,db2/mail");
  EXPECT_EQ(Find("y.cf")->pool->name(), "db1/mail");
}

}  // namespace
}  // namespace proxymux::proxy
