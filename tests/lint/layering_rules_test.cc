// The rules themselves: each is shown to strike, and only where it should.
#include "tests/lint/layering_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace proxymux::lint {
namespace {

bool Allowed(std::string_view path, const std::string& header) {
  return CheckFile(path, "#include " + header + "\n").empty();
}

TEST(LayeringRules, RoomsIncludeDownwardOnly) {
  EXPECT_TRUE(Allowed("protocol/a.cc", "\"protocol/b.h\""));
  EXPECT_FALSE(Allowed("protocol/a.cc", "\"config/values/table_config.h\""));
  EXPECT_FALSE(Allowed("protocol/a.cc", "\"pgsql/lookup.h\""));
  EXPECT_FALSE(Allowed("protocol/a.cc", "\"proxy/log/log.h\""));
  EXPECT_TRUE(Allowed("config/a.cc", "\"config/b.h\""));
  EXPECT_FALSE(Allowed("config/a.cc", "\"protocol/reply.h\""));
  EXPECT_FALSE(Allowed("config/a.cc", "\"pgsql/lookup.h\""));
  EXPECT_FALSE(Allowed("config/a.cc", "\"proxy/log/log.h\""));
  EXPECT_FALSE(Allowed("pgsql/a.cc", "\"protocol/reply.h\""));
  EXPECT_FALSE(Allowed("pgsql/a.cc", "\"proxy/log/log.h\""));
  for (const char* header :
       {"\"protocol/a.h\"", "\"config/a.h\"", "\"pgsql/a.h\"", "\"proxy/a.h\""}) {
    EXPECT_TRUE(Allowed("proxy/a.cc", header)) << header;
  }
  EXPECT_FALSE(Allowed("proxy/a.cc", "\"tests/golden/transcript.h\""));
}

TEST(LayeringRules, PgsqlSeesConfigsValuesOnly) {
  EXPECT_TRUE(Allowed("pgsql/a.h", "\"config/values/table_config.h\""));
  EXPECT_TRUE(Allowed("pgsql/a.h", "\"config/values/server_config.h\""));
  EXPECT_FALSE(Allowed("pgsql/a.h", "\"config/yaml/yaml_loader.h\""));
}

TEST(LayeringRules, LibrariesHaveTheirPlaces) {
  EXPECT_TRUE(Allowed("pgsql/libpq/pg_connection.h", "<libpq-fe.h>"));
  EXPECT_FALSE(Allowed("pgsql/connection_pool.cc", "<libpq-fe.h>"));
  EXPECT_FALSE(Allowed("pgsql/connection_pool.cc", "\"libpq-fe.h\""));
  EXPECT_FALSE(Allowed("pgsql/connection_pool.cc", "<postgresql/libpq-fe.h>"));
  EXPECT_FALSE(Allowed("proxy/pg_status.cc", "<libpq-fe.h>"));
  EXPECT_TRUE(Allowed("proxy/uv/uv_event_loop.cc", "<uv.h>"));
  EXPECT_FALSE(Allowed("proxy/relay.cc", "<uv.h>"));
  EXPECT_FALSE(Allowed("pgsql/uv_thing.cc", "<uv.h>"));
  EXPECT_TRUE(Allowed("config/yaml/yaml_loader.cc", "<yaml-cpp/yaml.h>"));
  EXPECT_FALSE(Allowed("config/yaml/yaml_loader.h", "<yaml-cpp/yaml.h>"));
  EXPECT_TRUE(Allowed("proxy/log/log.cc", "<spdlog/spdlog.h>"));
  EXPECT_FALSE(Allowed("proxy/log/log.h", "<spdlog/spdlog.h>"));
  EXPECT_TRUE(Allowed("proxy/status_text.cc", "<fmt/format.h>"));
  EXPECT_FALSE(Allowed("config/duration.cc", "<fmt/format.h>"));
  EXPECT_TRUE(Allowed("proxy/text/key_fold.cc", "<unicode/ucasemap.h>"));
  EXPECT_FALSE(Allowed("proxy/utf8.cc", "<unicode/ucasemap.h>"));
  EXPECT_TRUE(Allowed("proxy/main.cc", "<CLI/CLI.hpp>"));
  EXPECT_FALSE(Allowed("config/option_table.cc", "<CLI/CLI.hpp>"));
  EXPECT_FALSE(Allowed("proxy/main.cc", "<gtest/gtest.h>"));
  EXPECT_FALSE(Allowed("proxy/main.cc", "<boost/asio.hpp>")) << "not in the table";
}

TEST(LayeringRules, ProtocolIsBuiltOnTheStandardLibraryAlone) {
  EXPECT_TRUE(Allowed("protocol/a.cc", "<string_view>"));
  EXPECT_FALSE(Allowed("protocol/a.cc", "<unistd.h>"));
  EXPECT_FALSE(Allowed("protocol/a.cc", "<sys/socket.h>"));
  EXPECT_FALSE(Allowed("protocol/a.cc", "<string.h>"));
  EXPECT_TRUE(Allowed("pgsql/a.cc", "<netinet/tcp.h>"));
}

TEST(LayeringRules, PathsBeginAtTheRoot) {
  EXPECT_FALSE(Allowed("pgsql/a.cc", "\"lookup.h\""));
  EXPECT_FALSE(Allowed("pgsql/a.cc", "\"../config/values/table_config.h\""));
}

TEST(LayeringRules, OddSpellingsOfIncludeAreSeen) {
  EXPECT_FALSE(CheckFile("protocol/a.cc", "  #  include<uv.h>").empty());
  EXPECT_FALSE(CheckFile("protocol/a.cc", "/* why */ #include /* so */ <uv.h>\n").empty());
  EXPECT_TRUE(CheckFile("protocol/a.cc", "// #include <uv.h>\n/*\n#include <uv.h>\n*/\n").empty());
}

TEST(LayeringRules, MessagesNameFileLineAndRule) {
  const std::vector<std::string> messages =
      CheckFile("proxy/relay.cc", "// A relay.\n\n#include <string>\n#include <uv.h>\n");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0], "proxy/relay.cc:4: includes <uv.h>, but libuv is for proxy/*uv_* only");
}

TEST(LayeringRules, FourHundredLinesAreEnough) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "\n";
  EXPECT_TRUE(CheckFile("proxy/a.cc", text).empty());
  EXPECT_EQ(CheckFile("proxy/a.cc", text + "int x;").size(), 1u) << "no newline at the end";
  EXPECT_EQ(CheckFile("proxy/a.cc", text + "\n").size(), 1u);
}

TEST(LayeringRules, CatchAllIsSeenHoweverItIsSpelled) {
  for (const char* code :
       {"try {} catch (...) {}", "try {} catch(...) {}", "try {} catch\n( ... )\n{}",
        "try {} catch /* all */ (...) {}", "int x = 1'000; try {} catch (...) {} char c = '\"';"}) {
    EXPECT_EQ(CheckFile("proxy/a.cc", code).size(), 1u) << code;
  }
  for (const char* code :
       {"// no catch (...) here", "/* catch (...) */", "auto s = \"catch (...)\";",
        "auto s = R\"x(\" catch (...) )x\";", "try {} catch (const std::exception&) {}",
        "char c = '\"'; // catch (...)", "auto s = \"\\\" catch (...)\";"}) {
    EXPECT_TRUE(CheckFile("proxy/a.cc", code).empty()) << code;
  }
  EXPECT_TRUE(
      CheckFile("proxy/a.cc", "\n\ntry {} catch (...) {}")[0].starts_with("proxy/a.cc:3: "));
}

TEST(LayeringRules, AFileOutsideTheRoomsIsReported) {
  EXPECT_EQ(CheckFile("sql/a.cc", "").size(), 1u);
}

}  // namespace
}  // namespace proxymux::lint
