// `proxymux check --connect` with the real servers of the mail world.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/check/check_world.h"

namespace proxymux::integration {

inline constexpr int kNothingWrong = 0, kWarnings = 1, kErrors = 2;  // exit statuses

class CheckServers : public CheckWorld {
 protected:
  void Expect(int status, const testing::Matcher<std::string>& said) {
    const harness::CommandResult result = Connected();
    EXPECT_EQ(result.status, status) << result.out << result.err;
    EXPECT_THAT(result.out, said);
  }
  // As the superuser, in the first mirror's mail database.
  void Sql(const std::string& text) { world_.first().Sql(harness::kMailDatabase, text); }

  std::string Host() { return world_.first().TcpHost(); }
  // Of one query in the table's file, that asks the first mirror.
  void Ask(const std::string& query, const std::string& more = "") {
    WriteTable(Host(), query, more);
  }
  std::string Uri(const std::string& parameters) {
    return "postgresql://" + std::string(harness::kMailRole) + ":let%20me%20read@" + Host() + "/" +
           harness::kMailDatabase + "?" + parameters;
  }
};

}  // namespace proxymux::integration
