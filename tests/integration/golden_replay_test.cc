// What real clients of Postfix 3.7 and 3.12 sent is sent again, to proxymux and a real database:
// its replies are, byte for byte, those of the stock services.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "protocol/dialect.h"
#include "tests/golden/transcript.h"
#include "tests/harness/installed_postfix.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::PostfixInstance;
using harness::Service;
using std::string_literals::operator""s;

void Replace(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

class Replay : public testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    auto& world = MailWorld::Instance();
    postfix_ =
        std::make_unique<PostfixInstance>(world.NewDirectory(), world.Options(Service::kInPlace));
    postfix_->Start();
  }
  static void TearDownTestSuite() { postfix_.reset(); }

  static std::string Here(std::string bytes) {
    Replace(bytes, "/etc/postfix", postfix_->config_directory());
    return bytes;
  }

  // Stock 3.7 lets the flags of one client leak into the open replies of the next; ours are always
  // these.
  static std::string WithoutLeak(std::string reply) {
    for (const char* leaked : {"524368", "524369"}) {
      if (reply ==
          "status\0"
          "0\0flags\0"s +
              leaked + "\0\0"s)
        return "status\0"
               "0\0flags\0"
               "16\0\0"s;
    }
    return reply;
  }

  static std::unique_ptr<PostfixInstance> postfix_;
};

std::unique_ptr<PostfixInstance> Replay::postfix_;

TEST_P(Replay, EveryReplyIsThatOfStock) {
  std::string error;
  const auto transcript = golden::ReadTranscript(GetParam(), &error);
  ASSERT_TRUE(transcript) << error;
  ASSERT_FALSE(transcript->conversations.empty());
  for (const auto& conversation : transcript->conversations) {
    // The client has read the greeting, which is the first turn of every conversation.
    harness::ProxymapClient client(postfix_->SocketPath());
    for (std::size_t i = 1; i < conversation.turns.size(); ++i) {
      const auto& turn = conversation.turns[i];
      if (turn.sender == golden::Sender::kClient) {
        ASSERT_TRUE(client.SendBytes(Here(turn.bytes)));
        continue;
      }
      EXPECT_EQ(golden::Escape(client.ReceiveList()), golden::Escape(WithoutLeak(Here(turn.bytes))))
          << GetParam() << ":" << turn.line;
    }
  }
}

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const char* release : {"tests/golden/postfix-3.7", "tests/golden/postfix-3.12"}) {
    const auto more = golden::TranscriptFiles(release);
    files.insert(files.end(), more.begin(), more.end());
  }
  // Goes to the stock daemon as it came, which knows no dialect but its own.
  const bool older = harness::TheInstalledPostfix().dialect == protocol::Dialect::kLegacy;
  std::erase(files,
             std::string("tests/golden/postfix-") + (older ? "3.12" : "3.7") + "/unix-passwd.txt");
  return files;
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(info.param.find("postfix-"));
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name.substr(0, name.size() - 4);
}

INSTANTIATE_TEST_SUITE_P(Golden, Replay, testing::ValuesIn(Files()), NameOf);

}  // namespace
}  // namespace proxymux::integration
