// A pool's display name, taken apart.
#include "proxy/tables/pool_name.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using Hosts = std::set<std::string>;

TEST(PoolName, HasUserHostsAndDatabase) {
  const PoolName name = PoolName::Parse("postfix@db1:5433,db2/mail");
  EXPECT_EQ(name.user, "postfix");
  EXPECT_EQ(name.hosts, (Hosts{"db1:5433", "db2"}));
  EXPECT_EQ(name.dbname, "mail");
}

TEST(PoolName, MayLackAUser) {
  const PoolName name = PoolName::Parse("db1/mail");
  EXPECT_EQ(name.user, "");
  EXPECT_EQ(name.hosts, Hosts{"db1"});
}

TEST(PoolName, ASocketDirectoryKeepsItsSlashes) {
  const PoolName name = PoolName::Parse("postfix@/run/postgresql/mail");
  EXPECT_EQ(name.hosts, Hosts{"/run/postgresql"});
  EXPECT_EQ(name.dbname, "mail");
}

TEST(PoolName, TheNumberOfATwinIsNoPartOfIt) {
  EXPECT_EQ(PoolName::Parse("u@a,b/d#2"), PoolName::Parse("u@b,a/d"));
  EXPECT_NE(PoolName::Parse("u@a/d#x"), PoolName::Parse("u@a/d"));
}

TEST(PoolName, OddTextIsSurvived) {
  for (const char* text : {"", "@", "/", ",", "@/", ",,,/", "#2", "a@b@c/d/e#"}) {
    const PoolName name = PoolName::Parse(text);
    EXPECT_EQ(name, PoolName::Parse(text)) << text;
  }
  EXPECT_TRUE(PoolName::Parse(",,/").hosts.empty());
}

TEST(PoolName, ResemblesWhatSharesAHostOrUserAndDatabase) {
  const PoolName pool = PoolName::Parse("postfix@db1,db2/mail");
  EXPECT_TRUE(PoolName::Parse("other@db2/x").ResemblesPoolOf(pool));
  EXPECT_TRUE(PoolName::Parse("postfix@db9/mail").ResemblesPoolOf(pool));
  EXPECT_FALSE(PoolName::Parse("postfix@db9/web").ResemblesPoolOf(pool));
}

// Its hosts are not known by name: a section that names no pool may be meant for it.
TEST(PoolName, APoolWhoseHostsAreNotShownResemblesAny) {
  const PoolName hidden = PoolName::Parse("hidden-uri#2");
  EXPECT_TRUE(PoolName::Parse("mail@db1/mail").ResemblesPoolOf(hidden));
  EXPECT_TRUE(
      PoolName::Parse("mail@db1/mail").ResemblesPoolOf(PoolName::Parse("a@db2,hidden-uri")));
  EXPECT_FALSE(PoolName::Parse("mail@db1/mail").ResemblesPoolOf(PoolName::Parse("a@db2/x")));
}

}  // namespace
}  // namespace proxymux::proxy
