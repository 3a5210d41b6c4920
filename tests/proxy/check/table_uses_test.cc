// What is said of the tables that settings name.
#include "proxy/check/table_uses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kA[] = "pgsql:/a.cf";

using Tables = std::set<std::string, std::less<>>;

std::string Said(const std::vector<NamedValue>& values, const Tables& read = {},
                 const Tables& write = {}) {
  TableApprovals approvals;
  approvals.read.tables = read;
  approvals.write.tables = write;
  Findings findings;
  CheckTableUses(values, approvals, &findings);
  return findings.Text();
}

NamedValue InMainCf(const std::string& name, const std::string& value) {
  return {"main.cf", 3, name, value, "", false};
}
NamedValue Default(const std::string& name, const std::string& value) {
  return {"main.cf", 0, name, value, "", true};
}

TEST(TableUses, ApprovedOnesAreNotTalkedAbout) {
  EXPECT_EQ(Said({InMainCf("virtual_alias_maps", "proxy:pgsql:/a.cf hash:/b")}, {kA}), "");
}

TEST(TableUses, WithoutProxyEachProcessHasAConnection) {
  EXPECT_THAT(Said({InMainCf("virtual_alias_maps", "pgsql:/a.cf")}, {kA}),
              AllOf(HasSubstr("main.cf:3: warning: virtual_alias_maps names pgsql:/a.cf without"),
                    HasSubstr("write proxy:pgsql:/a.cf")));
}

TEST(TableUses, WhatIsNotApprovedIsRefused) {
  EXPECT_THAT(Said({InMainCf("transport_maps", "proxy:pgsql:/a.cf")}),
              AllOf(HasSubstr("main.cf:3: error: transport_maps names proxy:pgsql:/a.cf"),
                    HasSubstr("add $transport_maps to proxy_read_maps")));
  EXPECT_THAT(Said({InMainCf("transport_maps", "proxy:hash:/a")}), HasSubstr("error"));
}

TEST(TableUses, AServicesOwnSettingIsNamedWithIt) {
  EXPECT_THAT(
      Said({{"master.cf", 9, "smtpd_sender_login_maps", "proxy:pgsql:/a.cf", "submission", false}}),
      AllOf(HasSubstr("master.cf:9: error: smtpd_sender_login_maps of the service submission"),
            HasSubstr("add proxy:pgsql:/a.cf to proxy_read_maps in main.cf")));
}

TEST(TableUses, WhatAStockProcessWouldOpen) {
  EXPECT_THAT(Said({InMainCf("x_maps", "proxy:unionmap:{pgsql:/a.cf, hash:/b}")},
                   {"unionmap:{pgsql:/a.cf, hash:/b}"}),
              AllOf(HasSubstr("main.cf:3: warning: x_maps names pgsql:/a.cf within"),
                    HasSubstr("put proxy: before this table")));
}

TEST(TableUses, WhatIsWrittenIsApprovedByAnotherList) {
  const NamedValue cache = InMainCf("postscreen_cache_map", "proxy:btree:/c");
  EXPECT_EQ(Said({cache}, {}, {"btree:/c"}), "");
  EXPECT_THAT(Said({cache}, {"btree:/c"}),
              HasSubstr("error: postscreen_cache_map names proxy:btree:/c, which proxy_write_maps "
                        "does not approve"));
}

TEST(TableUses, DefaultsNameTablesToo) {
  const NamedValue recipients = Default("local_recipient_maps", "proxy:unix:passwd.byname");
  EXPECT_EQ(Said({recipients}, {"unix:passwd.byname"}), "");
  EXPECT_THAT(Said({recipients}),
              AllOf(HasSubstr("main.cf: warning: local_recipient_maps by default names "
                              "proxy:unix:passwd.byname, which proxy_read_maps does not"),
                    HasSubstr("add $local_recipient_maps to proxy_read_maps")));
  const std::string twice =
      Said({InMainCf("alias_maps", "proxy:pgsql:/a.cf pgsql:/b.cf"),
            Default("local_recipient_maps", "proxy:pgsql:/a.cf pgsql:/b.cf")});
  EXPECT_EQ(twice.find("by default"), std::string::npos) << twice;
}

TEST(TableUses, AsWhomMailIsDeliveredIsNeverAskedOfAProxy) {
  EXPECT_EQ(Said({InMainCf("virtual_uid_maps", "proxy:pgsql:/a.cf pgsql:/b.cf")}), "");
}

TEST(TableUses, WhatIsWrittenInPlaceIsNotShown) {
  const std::string said = Said({InMainCf("x_maps", "proxy:inline:{ { host = u:hunter2 } }")});
  EXPECT_THAT(said, HasSubstr("names proxy:inline:{...}, which"));
  EXPECT_EQ(said.find("hunter2"), std::string::npos);
}

TEST(TableUses, TheListsThemselvesUseNothing) {
  EXPECT_EQ(Said({InMainCf("proxy_read_maps", "proxy:pgsql:/a.cf pgsql:/b.cf")}), "");
}

}  // namespace
}  // namespace proxymux::proxy
