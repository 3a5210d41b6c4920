#include "proxy/admin/admin_host.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

TEST(AdminHost, LoopbackAndLocalhostWhateverTheListenersAddress) {
  for (const char* local : {"127.0.0.1", "::1", "192.0.2.7", "2001:db8::7", ""}) {
    for (const char* host : {"localhost", "LOCALHOST", "localhost:1", "localhost:65535",
                             "127.0.0.1", "127.0.0.1:9127", "127.255.0.3", "[::1]", "[::1]:9127"}) {
      EXPECT_TRUE(IsOwnHost(host, local)) << host << " on " << local;
    }
  }
}

TEST(AdminHost, TheAddressThatTheConnectionCameTo) {
  EXPECT_TRUE(IsOwnHost("192.0.2.7", "192.0.2.7"));
  EXPECT_TRUE(IsOwnHost("192.0.2.7:9127", "192.0.2.7"));
  EXPECT_FALSE(IsOwnHost("192.0.2.8:9127", "192.0.2.7"));
  EXPECT_TRUE(IsOwnHost("[2001:db8::7]", "2001:db8::7"));
  EXPECT_TRUE(IsOwnHost("[2001:DB8:0::7]:9127", "2001:db8::7")) << "another spelling";
  EXPECT_FALSE(IsOwnHost("[2001:db8::8]:9127", "2001:db8::7"));
}

TEST(AdminHost, NamesAndWhatIsNoHost) {
  for (const char* host : {"",
                           "evil.example.com",
                           "localhost.example.com",
                           "localhost.",
                           "127.0.0.1.example.com",
                           "127.1",
                           "0177.0.0.1",
                           "2130706433",
                           "0.0.0.0",
                           "::1",
                           "[::1",
                           "[::1]x",
                           "[::1]:",
                           "[]",
                           "[localhost]",
                           "[127.0.0.1]",
                           "localhost:",
                           "localhost:x",
                           "localhost:123456",
                           "localhost:80:80",
                           "127.0.0.1:80:80",
                           "user@localhost",
                           " localhost",
                           "localhost/"}) {
    EXPECT_FALSE(IsOwnHost(host, "127.0.0.1")) << host;
  }
  EXPECT_FALSE(IsOwnHost("", ""));
}

}  // namespace
}  // namespace proxymux::proxy
