#include "config/values/diagnostic.h"

#include <gtest/gtest.h>

#include "config/values/nearest_name.h"

namespace proxymux::config {
namespace {

TEST(Diagnostic, IsWrittenAsCompilersDo) {
  const Diagnostic error{"proxymux.yaml", 3, 7, Severity::kError, "unknown setting", "remove it"};
  EXPECT_EQ(error.ToString(), "proxymux.yaml:3:7: error: unknown setting (remove it)");
}

TEST(Diagnostic, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ((Diagnostic{"x.cf", 4, 0, Severity::kWarning, "text", ""}).ToString(),
            "x.cf:4: warning: text");
  EXPECT_EQ((Diagnostic{"x.cf", 0, 9, Severity::kError, "text", ""}).ToString(),
            "x.cf: error: text");
  EXPECT_EQ((Diagnostic{"", 0, 0, Severity::kError, "text", ""}).ToString(), "error: text");
}

TEST(Diagnostic, WarningsAloneAreNoErrors) {
  std::vector<Diagnostic> list;
  EXPECT_FALSE(HasErrors(list));
  list.push_back({"", 0, 0, Severity::kWarning, "", ""});
  EXPECT_FALSE(HasErrors(list));
  list.push_back({"", 0, 0, Severity::kError, "", ""});
  EXPECT_TRUE(HasErrors(list));
}

TEST(NearestName, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", "abd"), 1u);
  EXPECT_EQ(EditDistance("abc", "ac"), 1u);
  EXPECT_EQ(EditDistance("abc", "acb"), 1u) << "neighbours swapped";
  EXPECT_EQ(EditDistance("Drain-Timeout", "drain_timeout"), 0u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(NearestName, SuggestsTheNearestAndNothingWildlyDifferent) {
  const std::vector<std::string_view> names = {"connections", "connect_timeout", "sslmode"};
  EXPECT_EQ(NearestName("conections", names), "connections");
  EXPECT_EQ(NearestName("ssl_mode", names), "sslmode");
  EXPECT_EQ(NearestName("cache", names), "");
  EXPECT_EQ(NearestName("", names), "");
  EXPECT_EQ(NearestName(std::string(100000, 'c'), names), "");
  EXPECT_EQ(NearestName("x", {}), "");
}

}  // namespace
}  // namespace proxymux::config
