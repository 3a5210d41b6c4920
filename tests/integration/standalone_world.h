// What the tests of the program without master(8) share: the files of a Postfix that does not run,
// and `proxymux serve` for them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/harness/admin_client.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {

class Standalone : public testing::Test {
 protected:
  Standalone()
      : directory_(world_.NewDirectory()),
        postfix_(directory_, world_.Options(harness::Service::kInPlace)),
        socket_(directory_ + "/sock"),
        admin_(postfix_.data_directory() + "/admin"),
        binary_(postfix_.daemon_directory() + "/proxymux") {
    WriteSettings("");
  }

  void WriteSettings(const std::string& more) {
    postfix_.WriteConfig("proxymux.yaml", "admin: {listen: " + admin_ + "}\n" + more, 0644);
  }

  void Serve(harness::CommandOptions options = {},
             const std::vector<harness::ChildProcess::Descriptor>& descriptors = {}) {
    std::vector<std::string> command = {binary_, "serve", "--config-directory",
                                        postfix_.config_directory()};
    if (descriptors.empty()) command.insert(command.end(), {"--listen", socket_});
    options.directory = directory_;
    child_ = std::make_unique<harness::ChildProcess>(command, log_, options, descriptors);
    ASSERT_TRUE(harness::Eventually(
        [&] { return harness::HttpGet(admin_, "/healthz").status == 200 || !child_->Running(); }));
    ASSERT_TRUE(child_->Running()) << harness::ReadFile(log_);
  }

  void ExpectGoodLookup() {
    harness::ProxymapClient client(socket_);
    const auto answer = client.Lookup(postfix_.Table("pgsql-aliases.cf"), harness::AliasOf(4));
    EXPECT_TRUE(answer.IsValue(harness::AddressOf(4)))
        << harness::Describe(answer) << harness::ReadFile(log_);
  }

  bool WaitForLog(const std::string& text) {
    return harness::Eventually(
        [&] { return harness::ReadFile(log_).find(text) != std::string::npos; },
        harness::seconds(5));
  }

  harness::CommandResult Command(std::vector<std::string> words) {
    words.insert(words.begin(), binary_);
    return harness::RunCommand(words);
  }

  MailWorld& world_ = MailWorld::Instance();
  const std::string directory_;
  harness::PostfixInstance postfix_;  // configured, never started
  const std::string socket_;
  const std::string admin_;  // where the mail owner may make it
  const std::string binary_;
  const std::string log_ = directory_ + "/output";
  std::unique_ptr<harness::ChildProcess> child_;
};

}  // namespace proxymux::integration
