// The rules themselves: each is shown to strike, and only where it should.
#include "tests/lint/layering_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace proxymux::lint {
namespace {

// Three rooms, one on the other, beside the real ones where it does not matter which they are.
const House kHouse = {
    {"ground", "", {}},
    {"wing/lower", "", {"ground"}, true},
    {"wing", "", {"wing/lower"}},
};

std::vector<std::string> Check(std::string_view path, std::string_view text) {
  return CheckFile(Rooms(), path, text);
}

bool Allowed(std::string_view path, const std::string& header) {
  return Check(path, "#include " + header + "\n").empty();
}

bool AllowedInHouse(std::string_view path, const std::string& header) {
  return CheckFile(kHouse, path, "#include " + header + "\n").empty();
}

TEST(LayeringRules, ARoomIncludesItselfAndWhatItsRowNames) {
  EXPECT_TRUE(AllowedInHouse("ground/a.cc", "\"ground/b.h\""));
  EXPECT_FALSE(AllowedInHouse("ground/a.cc", "\"wing/lower/b.h\""));
  EXPECT_FALSE(AllowedInHouse("ground/a.cc", "\"wing/b.h\""));
  EXPECT_TRUE(AllowedInHouse("wing/lower/a.cc", "\"ground/b.h\""));
  EXPECT_TRUE(AllowedInHouse("wing/lower/a.cc", "\"wing/lower/b.h\""));
  EXPECT_FALSE(AllowedInHouse("wing/lower/a.cc", "\"wing/b.h\"")) << "a folder is not its parent";
  EXPECT_TRUE(AllowedInHouse("wing/a.cc", "\"wing/lower/b.h\""));
  EXPECT_FALSE(AllowedInHouse("wing/a.cc", "\"ground/b.h\"")) << "not through another room";
  EXPECT_FALSE(AllowedInHouse("wing/a.cc", "\"ground/cellar/b.h\"")) << "no room at all";
  EXPECT_FALSE(AllowedInHouse("wing/a.cc", "\"tests/golden/transcript.h\""));
}

TEST(LayeringRules, OfTheRealHouse) {
  EXPECT_TRUE(Allowed("pgsql/pool/a.cc", "\"pgsql/table/b.h\""));
  EXPECT_FALSE(Allowed("pgsql/table/a.cc", "\"pgsql/pool/b.h\""));
  EXPECT_FALSE(Allowed("pgsql/pool/a.cc", "\"protocol/reply.h\""));
  EXPECT_FALSE(Allowed("pgsql/pool/a.cc", "\"proxy/log/log.h\""));
  EXPECT_TRUE(Allowed("pgsql/pool/a.h", "\"config/values/table_config.h\""));
  EXPECT_FALSE(Allowed("pgsql/pool/a.h", "\"config/yaml/yaml_loader.h\""));
  EXPECT_FALSE(Allowed("config/values/a.h", "\"config/yaml/yaml_loader.h\""));
  EXPECT_FALSE(Allowed("protocol/a.cc", "\"config/values/table_config.h\""));
}

TEST(LayeringRules, TheOperatingSystemIsForRoomsWhoseRowSaysSo) {
  for (const char* header : {"<unistd.h>", "<sys/socket.h>", "<string.h>"}) {
    EXPECT_FALSE(AllowedInHouse("ground/a.cc", header)) << header;
    EXPECT_TRUE(AllowedInHouse("wing/lower/a.cc", header)) << header;
  }
  EXPECT_TRUE(AllowedInHouse("ground/a.cc", "<string_view>"));
}

TEST(LayeringRules, ArrowsAreThoseOfTheIncludes) {
  const std::vector<SourceFile> files = {
      {"ground/a.h", "#include <vector>\n#include \"ground/b.h\"\n"},
      {"wing/lower/a.h", "// #include \"wing/b.h\"\n#include \"ground/a.h\"\n"},
      {"wing/a.h", "#include \"wing/lower/a.h\"\n#include \"nowhere/a.h\"\n"},
      {"elsewhere/a.h", "#include \"wing/a.h\"\n"},
  };
  EXPECT_EQ(UsedArrows(kHouse, files),
            (Arrows{{"ground", {}}, {"wing/lower", {"ground"}}, {"wing", {"wing/lower"}}}));
}

TEST(LayeringRules, WhatNobodyUsesIsNoRow) {
  EXPECT_TRUE(CheckTable(kHouse, {{"wing/lower/a.h", "#include \"ground/a.h\"\n"},
                                  {"wing/lower/b.h", "#include <unistd.h>\n"},
                                  {"wing/a.h", "#include \"wing/lower/a.h\"\n"}})
                  .empty());
  EXPECT_EQ(CheckTable(kHouse, {{"wing/lower/a.h", "#include <uv.h>\n#include <vector>\n"},
                                {"wing/a.h", "#include \"wing/lower/a.h\"\n"}}),
            (std::vector<std::string>{
                "tests/lint/rooms.cc: wing/lower may include ground, but no file of it does; take "
                "it out",
                "tests/lint/rooms.cc: wing/lower may include the operating system's headers, but "
                "no file of it does; take it out"}));
}

TEST(LayeringRules, LibrariesHaveTheirPlaces) {
  EXPECT_TRUE(Allowed("pgsql/libpq/pg_connection.h", "<libpq-fe.h>"));
  EXPECT_TRUE(Allowed("pgsql/inquiry/pg_inquiry.cc", "<libpq-fe.h>"));
  EXPECT_FALSE(Allowed("pgsql/pool/connection_pool.cc", "<libpq-fe.h>"));
  EXPECT_FALSE(Allowed("pgsql/pool/connection_pool.cc", "\"libpq-fe.h\""));
  EXPECT_FALSE(Allowed("pgsql/pool/connection_pool.cc", "<postgresql/libpq-fe.h>"));
  EXPECT_FALSE(Allowed("proxy/status/pg_status.cc", "<libpq-fe.h>"));
  EXPECT_TRUE(Allowed("proxy/uv/uv_event_loop.cc", "<uv.h>"));
  EXPECT_FALSE(Allowed("proxy/relay/relay.cc", "<uv.h>"));
  EXPECT_FALSE(Allowed("pgsql/pool/uv_thing.cc", "<uv.h>"));
  EXPECT_TRUE(Allowed("config/yaml/yaml_loader.cc", "<yaml-cpp/yaml.h>"));
  EXPECT_FALSE(Allowed("config/yaml/yaml_loader.h", "<yaml-cpp/yaml.h>"));
  EXPECT_TRUE(Allowed("proxy/log/log.cc", "<spdlog/spdlog.h>"));
  EXPECT_FALSE(Allowed("proxy/log/log.h", "<spdlog/spdlog.h>"));
  EXPECT_TRUE(Allowed("proxy/status/status_text.cc", "<fmt/format.h>"));
  EXPECT_FALSE(Allowed("config/values/duration.cc", "<fmt/format.h>"));
  EXPECT_TRUE(Allowed("proxy/text/key_fold.cc", "<unicode/ucasemap.h>"));
  EXPECT_FALSE(Allowed("proxy/text/utf8.cc", "<unicode/ucasemap.h>"));
  EXPECT_TRUE(Allowed("config/postfix/domain_functions.cc", "<unicode/uidna.h>"));
  EXPECT_FALSE(Allowed("proxy/text/key_fold.cc", "<unicode/uidna.h>"));
  EXPECT_TRUE(Allowed("proxy/main.cc", "<CLI/CLI.hpp>"));
  EXPECT_FALSE(Allowed("config/yaml/option_table.cc", "<CLI/CLI.hpp>"));
  EXPECT_FALSE(Allowed("proxy/main.cc", "<gtest/gtest.h>"));
  EXPECT_FALSE(Allowed("proxy/main.cc", "<boost/asio.hpp>")) << "not in the table";
}

TEST(LayeringRules, PathsBeginAtTheRoot) {
  EXPECT_FALSE(Allowed("pgsql/pool/a.cc", "\"lookup.h\""));
  EXPECT_FALSE(Allowed("pgsql/pool/a.cc", "\"../config/values/table_config.h\""));
}

TEST(LayeringRules, OddSpellingsOfIncludeAreSeen) {
  EXPECT_FALSE(Check("protocol/a.cc", "  #  include<uv.h>").empty());
  EXPECT_FALSE(Check("protocol/a.cc", "/* why */ #include /* so */ <uv.h>\n").empty());
  EXPECT_TRUE(Check("protocol/a.cc", "// #include <uv.h>\n/*\n#include <uv.h>\n*/\n").empty());
}

TEST(LayeringRules, MessagesNameFileLineAndRule) {
  const std::vector<std::string> messages =
      Check("proxy/relay/relay.cc", "// A relay.\n\n#include <string>\n#include <uv.h>\n");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0],
            "proxy/relay/relay.cc:4: includes <uv.h>, but libuv is for proxy/*uv_* only");
}

TEST(LayeringRules, CatchAllIsSeenHoweverItIsSpelled) {
  for (const char* code :
       {"try {} catch (...) {}", "try {} catch(...) {}", "try {} catch\n( ... )\n{}",
        "try {} catch /* all */ (...) {}", "int x = 1'000; try {} catch (...) {} char c = '\"';"}) {
    EXPECT_EQ(Check("proxy/a.cc", code).size(), 1u) << code;
  }
  for (const char* code :
       {"// no catch (...) here", "/* catch (...) */", "auto s = \"catch (...)\";",
        "auto s = R\"x(\" catch (...) )x\";", "try {} catch (const std::exception&) {}",
        "char c = '\"'; // catch (...)", "auto s = \"\\\" catch (...)\";"}) {
    EXPECT_TRUE(Check("proxy/a.cc", code).empty()) << code;
  }
  EXPECT_TRUE(Check("proxy/a.cc", "\n\ntry {} catch (...) {}")[0].starts_with("proxy/a.cc:3: "));
}

TEST(LayeringRules, AFileOutsideTheRoomsIsReported) {
  EXPECT_EQ(Check("pgsql/a.cc", "").size(), 1u);
}

}  // namespace
}  // namespace proxymux::lint
