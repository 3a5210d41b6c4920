#include "config/postfix/approved_tables.h"

#include <gtest/gtest.h>

#include <map>

namespace proxymux::config {
namespace {

using Names = std::set<std::string, std::less<>>;

class ApprovedTablesTest : public testing::Test {
 protected:
  ApprovedTables Read(std::string proxy_read_maps, std::string classes = "") {
    ApprovalSources sources;
    sources.proxy_read_maps = std::move(proxy_read_maps);
    sources.smtpd_restriction_classes = std::move(classes);
    sources.parameter = [this](const std::string& name) { return Find(parameters_, name); };
    sources.read_file = [this](const std::string& path, std::string* error) {
      auto content = Find(files_, path);
      if (!content) *error = "No such file or directory";
      return content;
    };
    return ReadApprovedTables(sources);
  }

  static std::optional<std::string> Find(const std::map<std::string, std::string>& in,
                                         const std::string& name) {
    const auto at = in.find(name);
    if (at == in.end()) return std::nullopt;
    return at->second;
  }

  std::map<std::string, std::string> parameters_;
  std::map<std::string, std::string> files_;
};

TEST_F(ApprovedTablesTest, OnlyProxiedTablesAreApproved) {
  const ApprovedTables approved = Read(
      "proxy:unix:passwd.byname hash:/etc/aliases, proxy:pgsql:/etc/postfix/a.cf,"
      "pgsql:/etc/postfix/b.cf\tlocalhost 127.0.0.1/8 [::1]/128 permit_mynetworks\n"
      "  proxy:proxy:pgsql:/etc/postfix/c.cf");
  EXPECT_EQ(approved.tables,
            (Names{"unix:passwd.byname", "pgsql:/etc/postfix/a.cf", "pgsql:/etc/postfix/c.cf"}));
  EXPECT_TRUE(approved.diagnostics.empty());
  EXPECT_TRUE(approved.Contains("pgsql:/etc/postfix/a.cf"));
  EXPECT_FALSE(approved.Contains("pgsql:/etc/postfix/b.cf"));
}

TEST_F(ApprovedTablesTest, NothingIsApprovedByNothing) {
  for (const std::string text : {"", " , ,", "proxy:", "proxy:pgsql", "proxy", "xproxy:a:b"}) {
    EXPECT_TRUE(Read(text).tables.empty()) << text;
    EXPECT_TRUE(Read(text).diagnostics.empty()) << text;
  }
}

TEST_F(ApprovedTablesTest, TheFirstWordInBracesCounts) {
  EXPECT_EQ(Read("{ proxy:pgsql:/a.cf search_order=sender, proxy:pgsql:/no.cf } {proxy:pgsql:/b.cf}"
                 " {} { }")
                .tables,
            (Names{"pgsql:/a.cf", "pgsql:/b.cf"}));
}

TEST_F(ApprovedTablesTest, MapsInsidePipemapAndUnionmapCount) {
  EXPECT_EQ(Read("pipemap:{proxy:pgsql:/a.cf, proxy:pgsql:/b.cf hash:/x} "
                 "unionmap:{pipemap:{proxy:pgsql:/c.cf},{proxy:pgsql:/d.cf x=y}}")
                .tables,
            (Names{"pgsql:/a.cf", "pgsql:/b.cf", "pgsql:/c.cf", "pgsql:/d.cf"}));
  EXPECT_EQ(Read("{unionmap:{proxy:pgsql:/a.cf, proxy:pgsql:/b.cf} x=y}").tables,
            (Names{"pgsql:/a.cf", "pgsql:/b.cf"}));
}

TEST_F(ApprovedTablesTest, AProxiedComposedMapIsApprovedAsAWhole) {
  EXPECT_EQ(Read("proxy:pipemap:{pgsql:/a.cf, pgsql:/b.cf}").tables,
            (Names{"pipemap:{pgsql:/a.cf, pgsql:/b.cf}"}));
}

TEST_F(ApprovedTablesTest, WhiteSpaceInAComposedMapNeedNotBeTheSame) {
  const ApprovedTables approved = Read("proxy:pipemap:{pgsql:/a.cf, pgsql:/b.cf}");
  EXPECT_TRUE(approved.Contains("pipemap:{pgsql:/a.cf,    pgsql:/b.cf}"));
  EXPECT_TRUE(approved.Contains("pipemap:{pgsql:/a.cf,\t pgsql:/b.cf}"));
  EXPECT_FALSE(approved.Contains("pipemap:{pgsql:/a.cf,pgsql:/b.cf}"));
  EXPECT_TRUE(Read("proxy:unionmap:{a:b \n  c:d}").Contains("unionmap:{a:b c:d}"));
}

TEST_F(ApprovedTablesTest, UnbalancedBracesAreReportedAndTheRestStays) {
  const ApprovedTables approved = Read(
      "proxy:pgsql:/a.cf pipemap:{proxy:pgsql:/b.cf}x "
      "proxy:pgsql:/c.cf {proxy:pgsql:/d.cf");
  EXPECT_EQ(approved.tables, (Names{"pgsql:/a.cf", "pgsql:/c.cf"}));
  EXPECT_EQ(approved.diagnostics.size(), 2u);
}

TEST_F(ApprovedTablesTest, FilesHoldElementsToo) {
  files_["/etc/postfix/access"] =
      "# proxy:pgsql:/comment.cf\nproxy:pgsql:/a.cf hash:/x\n  # c\n  proxy:pgsql:/b.cf\n"
      "pipemap:{proxy:pgsql:/c.cf,\n  proxy:pgsql:/d.cf}\n/etc/postfix/more";
  files_["/etc/postfix/more"] = "proxy:pgsql:/e.cf\n/etc/postfix/access\n";
  const ApprovedTables approved = Read("proxy:pgsql:/z.cf,/etc/postfix/access");
  EXPECT_EQ(approved.tables, (Names{"pgsql:/a.cf", "pgsql:/b.cf", "pgsql:/c.cf", "pgsql:/d.cf",
                                    "pgsql:/e.cf", "pgsql:/z.cf"}));
  EXPECT_TRUE(approved.diagnostics.empty());
}

TEST_F(ApprovedTablesTest, AnUnreadableFileIsReportedAndTheRestStays) {
  const ApprovedTables approved = Read("/nonexistent proxy:pgsql:/a.cf");
  EXPECT_EQ(approved.tables, Names{"pgsql:/a.cf"});
  ASSERT_EQ(approved.diagnostics.size(), 1u);
  EXPECT_NE(approved.diagnostics[0].ToString().find("/nonexistent: No such file"),
            std::string::npos);
}

TEST_F(ApprovedTablesTest, RestrictionClassesAreLookedInto) {
  parameters_["greylist"] = "check_recipient_access proxy:pgsql:/grey.cf";
  parameters_["strict"] = "{ check_sender_access proxy:pgsql:/no.cf }, reject";
  parameters_["other"] = "proxy:pgsql:/other.cf";
  EXPECT_EQ(Read("proxy:pgsql:/a.cf", "greylist, strict nosuch").tables,
            (Names{"pgsql:/a.cf", "pgsql:/grey.cf"}));
}

// It would approve a table that nobody named.
TEST_F(ApprovedTablesTest, AnElementWithAPartMissingApprovesNothing) {
  files_["/etc/x"] = "proxy:pgsql:/file.cf";
  EXPECT_EQ(Read("proxy:pgsql:/a.cf\x01 proxy:pgsql:\x01/b.cf /etc/x\x01 proxy:pgsql:/c.cf "
                 "pipemap:{proxy:pgsql:/d.cf, proxy:pgsql:\x01} {proxy:pgsql:/e\x01 x=y} "
                 "proxy:pipemap:{pgsql:/f\x01, pgsql:/g} \x01")
                .tables,
            (Names{"pgsql:/c.cf", "pgsql:/d.cf"}));
}

TEST_F(ApprovedTablesTest, NestingIsBounded) {
  std::string deep = "proxy:pgsql:/a.cf";
  for (int i = 0; i < 10000; ++i) deep = "pipemap:{" + deep + "}";
  const ApprovedTables approved = Read(deep + " proxy:pgsql:/b.cf");
  EXPECT_EQ(approved.tables, Names{"pgsql:/b.cf"});
  EXPECT_EQ(approved.diagnostics.size(), 1u);
}

}  // namespace
}  // namespace proxymux::config
