// Which admin listener a control command asks.
#include "proxy/admin/admin_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using Sockets = std::vector<std::string>;

// "ADDRESS (PLACE)", or what is wrong.
std::string Chosen(const std::string& address, const std::string& service, const Sockets& sockets) {
  const auto result = ChooseAdmin({address, service, "/d"}, sockets);
  if (const auto* error = std::get_if<AdminAddressError>(&result)) return error->text;
  const auto& chosen = std::get<ChosenAdmin>(result);
  return chosen.address.Text() + " (" + chosen.place + ")";
}

TEST(AdminChoice, AnAddressThatWasGivenCountsBeforeAllElse) {
  EXPECT_EQ(Chosen("/run/x.sock", "", {"/d/proxymux-a.sock"}), "/run/x.sock (on /run/x.sock)");
  EXPECT_EQ(Chosen("127.0.0.1:9127", "a", {"/d/proxymux-a.sock"}),
            "127.0.0.1:9127 (on 127.0.0.1:9127)");
  EXPECT_EQ(Chosen("off", "", {}), "off (on off)");
  EXPECT_TRUE(Chosen("localhost", "", {}).starts_with("`localhost' is no admin address"));
}

TEST(AdminChoice, AServiceThatWasNamedHasItsDefaultSocket) {
  EXPECT_EQ(Chosen("", "a", {"/d/proxymux-b.sock", "/d/proxymux-c.sock"}),
            "/d/proxymux-a.sock (in /d)");
  EXPECT_EQ(Chosen("", "private/a", {}), "/d/proxymux-private_a.sock (in /d)");
}

TEST(AdminChoice, TheOnlySocketNeedsNoName) {
  EXPECT_EQ(Chosen("", "", {"/d/proxymux-a.sock"}), "/d/proxymux-a.sock (on /d/proxymux-a.sock)");
}

TEST(AdminChoice, WithoutSocketsTheDefaultNameIsAsked) {
  EXPECT_EQ(Chosen("", "", {}), "/d/proxymux-proxymux.sock (in /d)");
}

TEST(AdminChoice, OfSeveralSocketsNoneIsGuessed) {
  EXPECT_EQ(Chosen("", "", {"/d/proxymux-a.sock", "/d/proxymux-b.sock"}),
            "several services have an admin socket here; choose one with --service or --socket:\n"
            "  /d/proxymux-a.sock\n"
            "  /d/proxymux-b.sock");
}

TEST(AdminChoice, SocketsAreFoundByTheirNames) {
  const harness::TempDirectory directory;
  for (const char* name : {"proxymux-a.sock", "proxymux-b_c.sock", "proxymux-a.sock.4711",
                           "other.sock", "proxymux-a.lock"}) {
    std::ofstream(directory.path() + "/" + name) << "";
  }
  Sockets found = AdminSocketsIn(directory.path());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (Sockets{directory.path() + "/proxymux-a.sock",
                            directory.path() + "/proxymux-b_c.sock"}));
  EXPECT_TRUE(AdminSocketsIn(directory.path() + "/none").empty());
}

}  // namespace
}  // namespace proxymux::proxy
