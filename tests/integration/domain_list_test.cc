// Domain lists that name other tables, between real clients, stock daemons and servers: the answers
// are Postfix's own, and a table that cannot be opened costs a RETRY and no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/integration/compared_domain_lists.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::CommandResult;
using harness::Describe;
using harness::seconds;
using harness::Service;
using protocol::Status;
using ::testing::HasSubstr;

class DomainListAnswers : public ComparedDomainLists,
                          public testing::WithParamInterface<Service> {};

TEST_P(DomainListAnswers, AreThoseOfPostfixItself) {
  options_.service = GetParam();
  const std::string hash = "hash:" + File("listed"), regexp = "regexp:" + File("patterns");
  const std::vector<std::string> lists = {
      hash,
      "inline:{a.example=b, c.example=d}, other.example",
      "inline:{{a.example = b}, {c.example = d e}}",
      "inline:{M\xC3\xBCnchen.example=x, m\xC3\xBCnster.example=x}",
      "inline:{A.example=x}",
      regexp,
      "static:x",
      "static:{a b}",
      "!" + regexp + ", static:x",
      "!a.example, !" + hash + " static:x",
      "!!" + hash,
      "!" + hash,
      "other.example, " + hash + ", " + regexp + ", inline:{c.example=}",
      File("members") + ", c.example",
      "!" + File("members") + ", static:x",
      "unionmap:{static:x,inline:{a=b}}",
      "pipemap:{inline:{a.example=b},inline:{b=c}}",
      "cidr:" + File("networks"),
      "pgsql:" + File("domains-in-sql"),
      "!pgsql:" + File("domains-in-sql") + ", static:x",
      "a.example, fail:x, static:x",
      "!fail:x, a.example",
  };
  const std::vector<std::string> keys = {"u@a.example",
                                         "U@A.Example",
                                         "u@listed.example",
                                         "u@sub.listed.example",
                                         "u@LISTED.example",
                                         "u@c.example",
                                         "u@other.example",
                                         "u@re.example",
                                         "u@xre.example",
                                         "u@other",
                                         "u@M\xC3\x9CNCHEN.example",
                                         "u@M\xC3\x9CNSTER.example",
                                         "u@192.0.2.7",
                                         "u@store.example.net",
                                         "u@x@a.example",
                                         "a.example",
                                         "@a.example",
                                         "u v@a.example"};
  for (std::size_t i = 0; i < lists.size(); ++i) Add(std::to_string(i) + ".cf", lists[i]);
  Make();
  WriteHash("listed", "listed.example yes\nother.example yes\n");
  postfix_->WriteConfig("patterns", "/^re/ x\n/^192/ y\n");
  postfix_->WriteConfig("networks", "192.0.2.0/24 x\n");
  postfix_->WriteConfig("members",
                        "# comment\na.example\n  !" + hash + "\n" + regexp + ", other\n");
  postfix_->WriteConfig(
      "domains-in-sql",
      harness::TableText(world_.Hosts(), "SELECT domain FROM mailbox_domain WHERE domain = '%s'"));
  Start();
  for (std::size_t i = 0; i < lists.size(); ++i) {
    Compare(std::to_string(i) + ".cf", lists[i], keys);
  }
  // So that the comparison is one.
  EXPECT_GT(found_, 50);
  EXPECT_GT(not_found_, 50);
  EXPECT_GT(failed_, 3);
}

INSTANTIATE_TEST_SUITE_P(Service, DomainListAnswers,
                         testing::Values(Service::kInPlace, Service::kBeside),
                         [](const auto& info) {
                           return info.param == Service::kInPlace ? "InPlace" : "Beside";
                         });

TEST_F(DomainLists, MembersNeedNoApprovalAndGetNone) {
  Add("a.cf", "inline:{a.example=b}");
  Make();
  Start();
  ExpectFound("a.cf", "u@a.example");
  const Answer answer = client_->Lookup("inline:{a.example=b}", "a.example");
  EXPECT_TRUE(answer.Is(Status::kDeny)) << Describe(answer);
}

TEST_F(DomainLists, CheckFindsNothingWrongWithThem) {
  Add("a.cf", "!hash:/nowhere/x, inline:{a.example=b, c.example=d}, pgsql:/nowhere/other.cf");
  Make();
  const CommandResult check = harness::RunCommand(
      {options_.proxymux, "check", "--config-directory", postfix_->config_directory()});
  EXPECT_EQ(check.status, 0);
  EXPECT_THAT(check.out, HasSubstr(" 0 errors, 0 warnings")) << check.err;
}

TEST_F(DomainLists, AMemberThatCannotBeOpenedIsRetryUntilItIsMended) {
  Add("a.cf", "a.example, hash:" + File("later"));
  Add("b.cf", "!pgsql:" + File("later.cf") + ", static:x");
  Make();
  Start();
  ExpectStatus("a.cf", "u@b.example", Status::kRetry);
  ExpectStatus("b.cf", "u@b.example", Status::kRetry);
  ExpectFound("a.cf", "u@a.example");
  for (const char* member : {"hash:", "pgsql:"}) {
    EXPECT_TRUE(postfix_->WaitForLog(std::string("the domain list cannot be looked up: ") + member))
        << postfix_->Log();
  }
  WriteHash("later", "b.example x\n");
  postfix_->WriteConfig("later.cf",
                        harness::TableText(world_.Hosts(), "SELECT 'x' WHERE '%s' = 'a.example'"));
  EXPECT_TRUE(EventuallyFound("a.cf", "u@b.example")) << postfix_->Log();
  EXPECT_TRUE(EventuallyFound("b.cf", "u@b.example")) << postfix_->Log();
  ExpectStatus("b.cf", "u@a.example", Status::kNoKey);
}

TEST_F(DomainLists, AChangedMemberIsTakenUp) {
  Add("a.cf", "hash:" + File("listed"));
  Make();
  WriteHash("listed", "a.example x\n");
  // Stock compares times in whole seconds.
  const std::string database = File("listed.db");
  std::filesystem::last_write_time(database,
                                   std::filesystem::last_write_time(database) - seconds(60));
  Start();
  ExpectFound("a.cf", "u@a.example");
  ExpectStatus("a.cf", "u@b.example", Status::kNoKey);
  WriteHash("listed", "b.example x\n");
  EXPECT_TRUE(EventuallyFound("a.cf", "u@b.example")) << postfix_->Log();
  ExpectStatus("a.cf", "u@a.example", Status::kNoKey);
}

}  // namespace
}  // namespace proxymux::integration
