#include "config/values/hidden_text.h"

#include <gtest/gtest.h>

namespace proxymux::config {
namespace {

TEST(HiddenText, LeavesOutWhatMayBeAPassword) {
  EXPECT_EQ(WithoutSecrets("postgresql://mail:p@ss/w@db1/mail"), "postgresql://...@db1/mail");
  EXPECT_EQ(WithoutSecrets("postgresql://mail@db1"), "postgresql://...@db1");
  EXPECT_EQ(WithoutSecrets("mail:pw@db1/mail"), "...@db1/mail");
  EXPECT_EQ(WithoutSecrets("//x@y"), "//...@y");
}

TEST(HiddenText, LeavesNamesAsTheyAre) {
  for (const char* name : {"", "@", "mail@db1:5432,[::1]:5432/mail", "pgsql:/etc/postfix/x.cf",
                           "mail@/run/postgresql/mail", "postgresql://db1/mail", "connections"}) {
    EXPECT_EQ(WithoutSecrets(name), name);
  }
}

}  // namespace
}  // namespace proxymux::config
