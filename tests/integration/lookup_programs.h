// `proxymux lookup` and `postmap -q` with the same configuration, each asking PostgreSQL by itself.
// No Postfix runs.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/integration/mail_world.h"

namespace proxymux::integration {

using Words = std::vector<std::string>;

class LookupPrograms : public testing::Test {
 protected:
  LookupPrograms()
      : directory_(world_.NewDirectory()),
        postfix_(directory_, world_.Options(harness::Service::kStock)) {}

  std::string Path(const std::string& name) const {
    return postfix_.config_directory() + "/" + name;
  }
  // A table file of this test; returns the table's name.
  std::string NewTable(const std::string& name, const std::string& query,
                       const std::string& more = "") {
    postfix_.WriteConfig(name, harness::TableText(world_.Hosts(), query, more));
    return postfix_.Table(name);
  }

  harness::CommandResult Run(Words words, const std::string& input) const {
    harness::CommandOptions options;
    options.input = input;
    options.directory = postfix_.config_directory();
    return harness::RunCommand(words, options);
  }
  // `flags` are those that both programs have: -f, -u.
  harness::CommandResult Ask(const std::string& key, const std::string& table,
                             const Words& flags = {}, const std::string& input = "") const {
    Words words = {harness::ProxymuxBinary(), "lookup", "-c", postfix_.config_directory()};
    words[0] = std::filesystem::absolute(words[0]);
    words.insert(words.end(), flags.begin(), flags.end());
    words.insert(words.end(), {"--", key, table});
    return Run(words, input);
  }
  harness::CommandResult AskStock(const std::string& key, const std::string& table,
                                  const Words& flags = {}, const std::string& input = "") const {
    Words words = {"/usr/sbin/postmap", "-c", postfix_.config_directory()};
    words.insert(words.end(), flags.begin(), flags.end());
    words.insert(words.end(), {"-q", key, table});
    return Run(words, input);
  }

  // Ours, when it is the same as stock's: output, status, and whether something is wrong.
  harness::CommandResult ExpectSame(const std::string& key, const std::string& table,
                                    const Words& flags = {}, const std::string& input = "") const {
    const harness::CommandResult ours = Ask(key, table, flags, input);
    const harness::CommandResult stock = AskStock(key, table, flags, input);
    const std::string about = key + " in " + table + ": " + ours.err + " / " + stock.err;
    EXPECT_EQ(ours.out, stock.out) << about;
    EXPECT_EQ(ours.status, stock.status) << about;
    EXPECT_EQ(ours.err.empty(), stock.err.empty()) << about;
    return ours;
  }
  void ExpectValue(const std::string& key, const std::string& table, const std::string& value,
                   const Words& flags = {}) const {
    const harness::CommandResult result = ExpectSame(key, table, flags);
    EXPECT_EQ(result.out, value + "\n");
    EXPECT_EQ(result.status, 0);
  }
  void ExpectNoValue(const std::string& key, const std::string& table,
                     const Words& flags = {}) const {
    const harness::CommandResult result = ExpectSame(key, table, flags);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.status, 1);
  }
  // An error for both; ours has all of `texts` in its message.
  void ExpectError(const std::string& key, const std::string& table, const Words& texts) const {
    const harness::CommandResult result = ExpectSame(key, table);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.status, 1);
    EXPECT_TRUE(result.err.starts_with("proxymux: ")) << result.err;
    for (const std::string& text : texts) EXPECT_THAT(result.err, testing::HasSubstr(text));
    EXPECT_THAT(result.err, testing::Not(testing::HasSubstr(harness::kMailPassword)));
  }
  harness::CommandResult Explain(const std::string& key, const std::string& table) const {
    harness::CommandResult result = Ask(key, table, {"--explain"});
    EXPECT_THAT(result.out + result.err, testing::Not(testing::HasSubstr(harness::kMailPassword)));
    return result;
  }

  MailWorld& world_ = MailWorld::Instance();
  const std::string directory_;
  harness::PostfixInstance postfix_;  // configured, never started
};

}  // namespace proxymux::integration
