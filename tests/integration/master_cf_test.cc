// The lines of master.cf that the documents recommend, `postfix upgrade-configuration`, and what
// the commands say before the service runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandOptions;
using harness::CommandResult;
using harness::PostfixInstance;
using harness::Service;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Words = std::vector<std::string>;

class MasterCf : public testing::Test {
 protected:
  void Configure(Service service) {
    postfix_ = std::make_unique<PostfixInstance>(world_.NewDirectory(), world_.Options(service));
  }
  std::string Path(const std::string& name) const {
    return postfix_->config_directory() + "/" + name;
  }
  std::string Text() const { return harness::ReadFile(Path("master.cf")); }
  // Our line without what makes it survive.
  void WriteForgetfulLine() {
    std::string text = Text();
    const std::string more = " -o proxymap_service_name=proxymap";
    ASSERT_NE(text.find(more), std::string::npos);
    text.erase(text.find(more), more.size());
    postfix_->WriteConfig("master.cf", text, 0644);
  }
  CommandResult Command(Words words, const std::string& mail_config = "") {
    words.insert(words.begin(), harness::ProxymuxBinary());
    CommandOptions options;
    if (!mail_config.empty()) options.environment["MAIL_CONFIG"] = mail_config;
    return harness::RunCommand(words, options);
  }
  void UpgradeConfiguration() {
    harness::RunOrThrow(
        {"/usr/sbin/postfix", "-c", postfix_->config_directory(), "upgrade-configuration"});
  }
  // The answer to a lookup as Postfix's daemons make it.
  void ExpectAnswer() {
    const CommandResult result =
        postfix_->Postmap(harness::AliasOf(4), postfix_->Table("pgsql-aliases.cf"));
    EXPECT_EQ(result.out, harness::AddressOf(4) + "\n") << result.err << postfix_->Log();
  }
  void ExpectProxymuxAnswersAfterAnUpgrade() {
    EXPECT_THAT(Command({"check", "-c", postfix_->config_directory()}).out,
                Not(HasSubstr("master.cf")));
    UpgradeConfiguration();
    EXPECT_THAT(Command({"check", "-c", postfix_->config_directory()}).out,
                Not(HasSubstr("master.cf")));
    postfix_->Start();
    ExpectAnswer();
    const std::string status =
        Command({"ctl", "status", "-c", postfix_->config_directory(), "--json"}).out;
    const auto document = nlohmann::json::parse(status, nullptr, false);
    ASSERT_TRUE(document.is_object()) << status << Text();
    int found = 0;
    for (const auto& table : document["tables"]) found += table.value("found", 0);
    EXPECT_EQ(found, 1) << "another one answered: " << status << Text();
  }

  MailWorld& world_ = MailWorld::Instance();
  std::unique_ptr<PostfixInstance> postfix_;
};

TEST_F(MasterCf, InStocksPlaceItSurvivesAnUpgradeOfPostfix) {
  Configure(Service::kInPlace);
  ExpectProxymuxAnswersAfterAnUpgrade();
}

TEST_F(MasterCf, BesideStockItSurvivesAnUpgradeOfPostfix) {
  Configure(Service::kBeside);
  ExpectProxymuxAnswersAfterAnUpgrade();
}

// Why the documents recommend what they do.
TEST_F(MasterCf, ALineThatUpgradeConfigurationDoesNotKnowIsPushedAside) {
  Configure(Service::kInPlace);
  WriteForgetfulLine();
  const CommandResult before = Command({"check", "-c", postfix_->config_directory()});
  EXPECT_EQ(before.status, 1) << before.out;
  EXPECT_THAT(before.out, AllOf(HasSubstr(Path("master.cf:14: warning: ")),
                                HasSubstr("proxymux -o proxymap_service_name=proxymap")));
  UpgradeConfiguration();
  const CommandResult after = Command({"check", "-c", postfix_->config_directory()});
  EXPECT_EQ(after.status, 2) << after.out;
  EXPECT_THAT(after.out, HasSubstr(Path("master.cf:14: error: the service proxymap (unix) is "
                                        "defined again in line ")));
  postfix_->Start();
  ExpectAnswer();
  EXPECT_FALSE(postfix_->Pids("proxymap").empty());
  const CommandResult status = Command({"ctl", "status", "-c", postfix_->config_directory()});
  EXPECT_EQ(status.status, 1);
  EXPECT_THAT(status.err, HasSubstr("is defined again in line "));
}

TEST_F(MasterCf, CtlSaysWhatTheServiceWaitsFor) {
  Configure(Service::kInPlace);
  const std::string directory = postfix_->config_directory();
  CommandResult result = Command({"ctl", "status"}, directory);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("Postfix does not run"),
                                HasSubstr("the service proxymap starts with the first lookup")));
  postfix_->Start();
  result = Command({"ctl", "status"}, directory);
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("the service proxymap starts with the first lookup, and"),
                    HasSubstr(postfix_->data_directory()), Not(HasSubstr("no socket"))));
  EXPECT_THAT(Command({"ctl", "status", "--service", "other"}, directory).err,
              HasSubstr("no service named other in " + Path("master.cf") + " runs proxymux"));
  ExpectAnswer();
  result = Command({"ctl", "status"}, directory);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr(directory), HasSubstr("pgsql-aliases.cf")));
  const auto status = nlohmann::json::parse(Command({"ctl", "status", "--json"}, directory).out);
  EXPECT_EQ(status["config_directory"], directory);
  EXPECT_EQ(Command({"ctl", "status", "-c", directory}, "/nonexistent").status, 0)
      << "the option counts more than the environment";
}

TEST_F(MasterCf, CommandsHeedMailConfig) {
  Configure(Service::kStock);
  const std::string directory = postfix_->config_directory();
  EXPECT_THAT(Command({"check"}, directory).out, HasSubstr("7 pgsql tables"));
  EXPECT_THAT(Command({"ctl", "status"}, directory).err,
              HasSubstr("no service in " + Path("master.cf") + " runs proxymux"));
  postfix_->WriteConfig("proxymux.yaml", "drain_timeout: 3s\n", 0644);
  EXPECT_THAT(Command({"config", "show"}, directory).out, HasSubstr("drain_timeout: 3s"));
  EXPECT_EQ(
      Command({"lookup", harness::AliasOf(4), postfix_->Table("pgsql-aliases.cf")}, directory).out,
      harness::AddressOf(4) + "\n");
  EXPECT_THAT(Command({"check"}, "/nonexistent").out, HasSubstr("/nonexistent"));
}

// As an administrator of several instances calls it.
TEST_F(MasterCf, PostmultiLeadsToTheInstance) {
  Configure(Service::kInPlace);
  auto options = postfix_->options();
  options.main_cf = {"multi_instance_enable = yes", "multi_instance_name = postfix-second"};
  postfix_->WriteMainCf(options);
  PostfixInstance first(world_.NewDirectory(), world_.Options(Service::kStock));
  auto first_options = first.options();
  first_options.main_cf = {"multi_instance_enable = yes",
                           "multi_instance_directories = " + postfix_->config_directory()};
  first.WriteMainCf(first_options);
  postfix_->Start();
  ExpectAnswer();
  // postmulti reads the system's own configuration directory and no other.
  const CommandResult result =
      harness::RunCommand({"unshare", "--mount", "sh", "-c",
                           "mount --bind " + first.config_directory() +
                               " /etc/postfix && exec postmulti -i postfix-second -x " +
                               harness::ProxymuxBinary() + " ctl status"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr(postfix_->config_directory()));
}

}  // namespace
}  // namespace proxymux::integration
