// The server that performance is held against does answer.
#include "tests/bench/bare_server.h"

#include <gtest/gtest.h>

#include "tests/harness/proxymap_client.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::bench {
namespace {

TEST(BareServer, AnswersEveryLookup) {
  const harness::TempDirectory directory;
  const BareServer server(directory / "socket");
  for (int client = 0; client < 3; ++client) {
    harness::ProxymapClient asking(directory / "socket", protocol::Dialect::kLegacy);
    for (int lookup = 0; lookup < 3; ++lookup) {
      const auto answer = asking.Lookup("pgsql:any", "key");
      EXPECT_TRUE(answer.IsValue("box1@store.example.net")) << harness::Describe(answer);
    }
  }
}

}  // namespace
}  // namespace proxymux::bench
