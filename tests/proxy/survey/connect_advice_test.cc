// Which setting a failure to connect is about.
#include "proxy/survey/connect_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

TEST(ConnectAdvice, NamesTheSettingAndWhatToDo) {
  struct Case {
    const char *sqlstate, *text, *setting, *hint;
  };
  for (const Case& each : {
           Case{"28P01", "password authentication failed", "password", "ALTER ROLE"},
           Case{"28000", "no pg_hba.conf entry for host", "hosts", "pg_hba.conf"},
           Case{"28000", "no pg_hba.conf entry for host \"::1\", no encryption", "hosts",
                "sslmode"},
           Case{"08P01", "no such database: mial", "dbname", "pooler"},
           Case{"28000", "role \"x\" does not exist", "user", "role"},
           Case{"3D000", "database \"x\" does not exist", "dbname", "database"},
           Case{"42501", "permission denied for database", "dbname", "GRANT CONNECT"},
           Case{"", "server does not support SSL, but SSL was required", "hosts", "ssl = on"},
           Case{"", "could not translate host name \"x\"", "hosts", "resolves"},
           Case{"", "connection failed: Connection refused", "hosts", "listen_addresses"},
           Case{"", "connection to \"10.0.0.1\" timed out", "hosts", "firewall"},
           Case{"", "certificate verify failed", "hosts", "sslrootcert"},
       }) {
    const ConnectAdvice advice = AdviceFor({each.sqlstate, each.text});
    EXPECT_EQ(advice.setting, each.setting) << each.text;
    EXPECT_THAT(std::string(advice.hint), testing::HasSubstr(each.hint)) << each.text;
  }
}

TEST(ConnectAdvice, OfWhatIsNotKnownOnlyTheHostsAreNamed) {
  const ConnectAdvice advice = AdviceFor({"XX000", "something else"});
  EXPECT_EQ(advice.setting, "hosts");
  EXPECT_EQ(advice.hint, "");
}

}  // namespace
}  // namespace proxymux::proxy
