// Where the admin listener listens, as the setting says it.
#include "proxy/admin/admin_address.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace proxymux::proxy {
namespace {

std::string AddressText(const std::string& setting) {
  auto result = ParseAdminAddress(setting, "/var/lib/postfix", "proxymap");
  const auto* address = std::get_if<AdminAddress>(&result);
  return address == nullptr ? "refused" : address->Text();
}

TEST(AdminAddress, EveryForm) {
  EXPECT_EQ(AddressText(""), "/var/lib/postfix/proxymux-proxymap.sock");
  EXPECT_EQ(AddressText("off"), "off");
  EXPECT_EQ(AddressText("/run/x.sock"), "/run/x.sock");
  EXPECT_EQ(AddressText("127.0.0.1:9127"), "127.0.0.1:9127");
  EXPECT_EQ(AddressText("[::1]:9127"), "[::1]:9127");
  for (const char* bad : {"localhost:80", "::1:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                          "127.0.0.1:8o", "[127.0.0.1]:80", "[]:80", ":80", "on", "[::1]"}) {
    EXPECT_EQ(AddressText(bad), "refused") << bad;
  }
  EXPECT_EQ(AddressText("/" + std::string(120, 'x')), "refused");
  const auto nested = ParseAdminAddress("", "/d", "private/x");
  EXPECT_EQ(std::get<AdminAddress>(nested).path, "/d/proxymux-private_x.sock");
}

}  // namespace
}  // namespace proxymux::proxy
