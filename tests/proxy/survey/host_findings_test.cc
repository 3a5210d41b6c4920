// What several hosts say is told once.
#include "proxy/survey/host_findings.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

config::Diagnostic Finding(const std::string& text) {
  return {"t.cf", 3, 0, config::Severity::kError, text, "mend it"};
}

TEST(HostFindings, WhatAllSayIsSaidOnce) {
  EXPECT_EQ(
      MergeFindings({{"a", {Finding("x"), Finding("y")}}, {"b", {Finding("x"), Finding("y")}}}),
      (std::vector{Finding("x"), Finding("y")}));
  EXPECT_EQ(MergeFindings({{"a", {Finding("x")}}}), std::vector{Finding("x")});
}

TEST(HostFindings, WhatSomeSayNamesThem) {
  EXPECT_EQ(MergeFindings({{"a", {}}, {"b", {Finding("x")}}, {"c", {Finding("x"), Finding("y")}}}),
            (std::vector{Finding("x (at host b, c)"), Finding("y (at host c)")}));
}

TEST(HostFindings, WhatAHostSaysTwiceItSaysOnce) {
  EXPECT_EQ(MergeFindings({{"a", {Finding("x"), Finding("x")}}, {"b", {}}}),
            std::vector{Finding("x (at host a)")});
}

TEST(HostFindings, NothingIsNothing) {
  EXPECT_TRUE(MergeFindings({}).empty());
  EXPECT_TRUE(MergeFindings({{"a", {}}, {"b", {}}}).empty());
}

}  // namespace
}  // namespace proxymux::proxy
