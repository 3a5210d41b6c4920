#include "tests/lint/room_visibility.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::lint {
namespace {

using Messages = std::vector<std::string>;

const House kHouse = {
    {"ground", "", {}},
    {"wing/lower", "", {"ground"}},
    {"wing", "", {"ground", "wing/lower"}},
};

constexpr char kGround[] =
    "# The ground. default_visibility = [\"//nobody:__pkg__\"]\n"
    "package(default_visibility = [\n"
    "    \"//wing/lower:__pkg__\",\n"
    "    \"//wing:__pkg__\",  # the upper one\n"
    "    \"//tests:__subpackages__\",\n"
    "])\n";

Messages Check(const std::string& build) { return CheckVisibility(kHouse, "ground", build); }

TEST(RoomVisibility, NamesThoseWhoMayInclude) {
  EXPECT_EQ(Check(kGround), Messages());
  EXPECT_EQ(
      CheckVisibility(kHouse, "wing", "package(default_visibility=[\"//tests:__subpackages__\"])"),
      Messages());
}

TEST(RoomVisibility, OneTooMany) {
  EXPECT_EQ(
      CheckVisibility(kHouse, "wing/lower", kGround),
      (Messages{"wing/lower/BUILD.bazel: default_visibility names //wing/lower:__pkg__, which "
                "may not include it by tests/lint/rooms.cc"}));
  EXPECT_EQ(Check("package(default_visibility = [\"//visibility:public\", \"//wing:__pkg__\", "
                  "\"//wing/lower:__pkg__\", \"//tests:__subpackages__\"])")
                .size(),
            1u);
}

TEST(RoomVisibility, OneThatIsNotThere) {
  EXPECT_EQ(Check("package(default_visibility = [\"//wing:__pkg__\"])"),
            (Messages{"ground/BUILD.bazel: default_visibility lacks //tests:__subpackages__",
                      "ground/BUILD.bazel: default_visibility lacks //wing/lower:__pkg__"}));
  EXPECT_EQ(Check("cc_library(name = \"a\")"),
            (Messages{"ground/BUILD.bazel: needs one default_visibility, a list of labels"}));
}

TEST(RoomVisibility, ATargetMayBeForFewer) {
  for (const char* label : {"//ground:__pkg__", "//visibility:private", "//tests/lint:__pkg__",
                            "//tests:__subpackages__", "//wing:__pkg__"}) {
    EXPECT_EQ(Check(kGround + std::string("cc_library(\n    visibility = [\"") + label + "\"],\n)"),
              Messages())
        << label;
  }
  for (const char* label :
       {"//visibility:public", "//elsewhere:__pkg__", "//wing:__subpackages__"}) {
    EXPECT_EQ(Check(kGround + std::string("cc_library(\n    visibility = [\"") + label + "\"],\n)"),
              Messages{std::string("ground/BUILD.bazel: a visibility names ") + label +
                       ", which may not include it by tests/lint/rooms.cc"});
  }
}

}  // namespace
}  // namespace proxymux::lint
