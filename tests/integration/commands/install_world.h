// A private Postfix with stock's service, and our program where master(8) would find it, for tests
// of `proxymux install` and `uninstall`.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/integration/mail_world.h"

namespace proxymux::integration {

// Exit statuses.
inline constexpr int kDone = 0, kNobodySaidYes = 1, kFailed = 2;

class InstallWorld : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  harness::CommandResult Run(Words words, const std::string& input = "") {
    words.insert(words.begin(), harness::ProxymuxBinary());
    words.insert(words.end(), {"-c", postfix_.config_directory()});
    harness::CommandOptions options;
    options.input = input;
    options.limit = harness::seconds(300);
    return harness::RunCommand(words, options);
  }
  void Succeed(const Words& words) {
    const harness::CommandResult result = Run(words);
    EXPECT_EQ(result.status, kDone) << result.out << result.err;
  }
  std::string Text(const std::string& name) {
    return harness::ReadFile(postfix_.config_directory() + "/" + name);
  }
  // Copies of the files as they were.
  std::vector<std::string> Kept() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(postfix_.config_directory())) {
      const std::string name = entry.path().filename();
      if (name.find(".proxymux-") != std::string::npos) names.push_back(name);
    }
    return names;
  }
  // The answer to a lookup as Postfix's daemons make it.
  void ExpectAnswer() {
    const harness::CommandResult result =
        postfix_.Postmap(harness::AliasOf(4), postfix_.Table("pgsql-aliases.cf"));
    EXPECT_EQ(result.out, harness::AddressOf(4) + "\n") << result.err << postfix_.Log();
  }

  // Stock's service, and our program where master(8) would find it.
  static harness::PostfixInstance::Options Before() {
    auto options = MailWorld::Instance().Options(harness::Service::kStock);
    options.proxymux = harness::ProxymuxBinary();
    return options;
  }

  MailWorld& world_ = MailWorld::Instance();
  harness::PostfixInstance postfix_{world_.NewDirectory(), Before()};
};

}  // namespace proxymux::integration
