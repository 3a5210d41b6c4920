#include "pgsql/libpq/pg_conninfo.h"

#include <gtest/gtest.h>

#include <map>

namespace proxymux::pgsql {
namespace {

using Result = std::variant<ConnectPlan, std::string>;

config::TableConfig Table(const std::string& dbname = "mail") {
  config::TableConfig table;
  table.user = "reader";
  table.password = "s3cret";
  table.dbname = dbname;
  table.encoding = "UTF8";
  return table;
}

Result Make(const std::string& host, const config::TableConfig& table = Table(),
            const config::PoolSettings& settings = {}) {
  const auto parsed = ParseHost(host);
  if (const auto* error = std::get_if<std::string>(&parsed)) {
    ADD_FAILURE() << *error;
    return *error;
  }
  return MakeConnectPlan(table, std::get<HostSpec>(parsed), settings);
}

ConnectPlan Plan(const std::string& host, const config::TableConfig& table = Table(),
                 const config::PoolSettings& settings = {}) {
  Result result = Make(host, table, settings);
  if (const auto* error = std::get_if<std::string>(&result)) {
    ADD_FAILURE() << *error;
    return {};
  }
  return std::get<ConnectPlan>(result);
}

std::string Error(const std::string& host, const config::TableConfig& table = Table()) {
  const Result result = Make(host, table);
  const auto* error = std::get_if<std::string>(&result);
  return error != nullptr ? *error : "no error";
}

std::string Value(const ConnectPlan& plan, const std::string& name) {
  for (const auto& [key, value] : plan.parameters) {
    if (key == name) return value;
  }
  return "(not set)";
}

// libpq would take any server, after it has tried the only one twice.
TEST(ConnectPlan, WhichHostIsPreferredIsNotLibpqsBusiness) {
  config::PoolSettings settings;
  settings.target_session_attrs = "prefer-standby";
  const ConnectPlan by_setting = Plan("db1.example.com", Table(), settings);
  EXPECT_TRUE(by_setting.prefers_standby);
  EXPECT_EQ(Value(by_setting, "target_session_attrs"), "(not set)");
  EXPECT_TRUE(Plan("postgresql://a,b/mail?target_session_attrs=prefer-standby").prefers_standby);
  settings.target_session_attrs = "standby";
  const ConnectPlan other = Plan("db1.example.com", Table(), settings);
  EXPECT_FALSE(other.prefers_standby);
  EXPECT_EQ(Value(other, "target_session_attrs"), "standby");
  EXPECT_FALSE(other.wants_primary);
  for (const char* attrs : {"read-write", "primary"}) {
    settings.target_session_attrs = attrs;
    const ConnectPlan primary = Plan("db1.example.com", Table(), settings);
    EXPECT_TRUE(primary.wants_primary);
    EXPECT_EQ(Value(primary, "target_session_attrs"), attrs);
  }
  EXPECT_TRUE(Plan("postgresql://a,b/mail?target_session_attrs=primary").wants_primary);
}

TEST(ConnectPlan, OfAPlainHost) {
  const ConnectPlan plan = Plan("db1.example.com:5433");
  EXPECT_EQ(plan.endpoints, (std::vector<Endpoint>{{"db1.example.com", "", "5433"}}));
  EXPECT_TRUE(plan.endpoints[0].NeedsResolving());
  EXPECT_EQ(plan.label, "db1.example.com:5433");
  EXPECT_EQ(plan.user, "reader");
  EXPECT_EQ(plan.dbname, "mail");
  EXPECT_EQ(Value(plan, "user"), "reader");
  EXPECT_EQ(Value(plan, "password"), "s3cret");
  EXPECT_EQ(Value(plan, "dbname"), "mail");
  EXPECT_EQ(Value(plan, "client_encoding"), "UTF8");
  EXPECT_EQ(Value(plan, "fallback_application_name"), "proxymux");
  EXPECT_EQ(Value(plan, "gssencmode"), "disable");
  EXPECT_EQ(Value(plan, "host"), "(not set)");
}

TEST(ConnectPlan, OfAUnixSocket) {
  const ConnectPlan plan = Plan("unix:/run/postgresql");
  EXPECT_EQ(plan.endpoints, (std::vector<Endpoint>{{"/run/postgresql", "", ""}}));
  EXPECT_FALSE(plan.endpoints[0].NeedsResolving());
  EXPECT_EQ(plan.label, "/run/postgresql");
}

TEST(ConnectPlan, WithoutUserAndPasswordLeavesThemToLibpq) {
  config::TableConfig table = Table();
  table.user.clear();
  table.password.clear();
  const ConnectPlan plan = Plan("db", table);
  EXPECT_EQ(plan.user, "");
  EXPECT_EQ(Value(plan, "user"), "(not set)");
  EXPECT_EQ(Value(plan, "password"), "(not set)");
}

TEST(ConnectPlan, AUriStandsForItself) {
  const ConnectPlan plan = Plan("postgresql://other:p%40ss@db2:6000/box?sslmode=require");
  EXPECT_EQ(plan.endpoints, (std::vector<Endpoint>{{"db2", "", "6000"}}));
  EXPECT_EQ(plan.user, "other");
  EXPECT_EQ(plan.dbname, "box");
  EXPECT_EQ(Value(plan, "password"), "p@ss");
  EXPECT_EQ(Value(plan, "sslmode"), "require");
  EXPECT_EQ(plan.label, "db2:6000");
  EXPECT_EQ(Value(Plan("postgres://db3"), "user"), "(not set)");  // the file's is not used
}

TEST(ConnectPlan, AUriMayNameSeveralHostsWithAPortEachOrOneForAll) {
  EXPECT_EQ(Plan("postgresql://a:1,b:2,[::1]:3/box").endpoints,
            (std::vector<Endpoint>{{"a", "", "1"}, {"b", "", "2"}, {"::1", "", "3"}}));
  EXPECT_EQ(Plan("postgresql://a:1,b:2,[::1]:3/box").label, "a:1,b:2,[::1]:3");
  EXPECT_EQ(Plan("postgresql:///box?host=a,b&port=7").endpoints,
            (std::vector<Endpoint>{{"a", "", "7"}, {"b", "", "7"}}));
}

TEST(ConnectPlan, AHostaddrIsNotResolvedAndTheNameStaysForTheCertificate) {
  const ConnectPlan plan = Plan("postgresql:///box?host=db.example.com&hostaddr=192.0.2.7");
  EXPECT_EQ(plan.endpoints, (std::vector<Endpoint>{{"db.example.com", "192.0.2.7", ""}}));
  EXPECT_FALSE(plan.endpoints[0].NeedsResolving());
  EXPECT_EQ(plan.label, "db.example.com");
  EXPECT_EQ(Plan("postgresql:///box?hostaddr=192.0.2.7,192.0.2.8").label, "192.0.2.7,192.0.2.8");
}

TEST(ConnectPlan, ListsThatDoNotMatchAreAnError) {
  EXPECT_EQ(Error("postgresql:///box?host=a,b&hostaddr=192.0.2.7"),
            "the connection string gives 2 hosts and 1 host addresses");
  EXPECT_EQ(Error("postgresql:///box?host=a,b,c&port=1,2"),
            "the connection string gives 3 hosts and 2 ports");
}

TEST(ConnectPlan, ADbnameMayBeAConnectionStringThatTheFileOverrides) {
  config::TableConfig table =
      Table("dbname=box sslmode=require user=theirs password=theirs port=7000 host=elsewhere");
  ConnectPlan plan = Plan("db1", table);
  EXPECT_EQ(plan.endpoints, (std::vector<Endpoint>{{"db1", "", "7000"}}));
  EXPECT_EQ(plan.user, "reader");
  EXPECT_EQ(Value(plan, "password"), "s3cret");
  EXPECT_EQ(plan.dbname, "box");
  EXPECT_EQ(Value(plan, "sslmode"), "require");
  table.user.clear();
  table.password.clear();
  plan = Plan("db1:7001", table);
  EXPECT_EQ(plan.endpoints, (std::vector<Endpoint>{{"db1", "", "7001"}}));
  EXPECT_EQ(plan.user, "theirs");
  EXPECT_EQ(Value(plan, "password"), "theirs");
}

TEST(ConnectPlan, ADbnameMayBeAUri) {
  const ConnectPlan plan = Plan("db1", Table("postgresql://theirs@elsewhere/box?sslmode=prefer"));
  EXPECT_EQ(plan.endpoints, (std::vector<Endpoint>{{"db1", "", ""}}));
  EXPECT_EQ(plan.dbname, "box");
  EXPECT_EQ(plan.user, "reader");
}

TEST(ConnectPlan, AHostaddrInTheDbnameDoesNotWinOverTheFilesHost) {
  const ConnectPlan plan = Plan("db1", Table("dbname=box hostaddr=192.0.2.1"));
  EXPECT_EQ(plan.endpoints, (std::vector<Endpoint>{{"db1", "", ""}}));
}

TEST(ConnectPlan, ThePoolsOwnSettingsWinWhenSet) {
  config::PoolSettings settings;
  settings.sslmode = "verify-full";
  settings.sslrootcert = "/etc/ssl/root.pem";
  settings.application_name = "mx1";
  settings.tcp_user_timeout = config::Milliseconds(2500);
  settings.keepalive_idle = config::Milliseconds(1500);
  const ConnectPlan plan =
      Plan("postgresql://db?sslmode=disable&connect_timeout=99", Table(), settings);
  EXPECT_EQ(Value(plan, "sslmode"), "verify-full");
  EXPECT_EQ(Value(plan, "sslrootcert"), "/etc/ssl/root.pem");
  EXPECT_EQ(Value(plan, "fallback_application_name"), "mx1");
  EXPECT_EQ(Value(plan, "tcp_user_timeout"), "2500");
  EXPECT_EQ(Value(plan, "keepalives_idle"), "2");          // seconds, rounded up
  EXPECT_EQ(Value(plan, "connect_timeout"), "(not set)");  // the event loop's business
  EXPECT_EQ(Value(Plan("postgresql://db?sslmode=disable"), "sslmode"), "disable");
}

TEST(ConnectPlan, ErrorsAndLabelsShowNoSecret) {
  for (const char* uri :
       {"postgresql://u:hunter2@db/x?sslmode", "postgresql://u:hunter2@db/x?nosuch=hunter2"}) {
    const std::string error = Error(uri);
    EXPECT_NE(error.find("malformed"), std::string::npos) << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  }
  const std::string error = Error("db1", Table("dbname=x password='hunter2"));
  EXPECT_NE(error.find("malformed"), std::string::npos) << error;
  EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  EXPECT_EQ(Plan("postgresql://u:hunter2@db/x?password=hunter2").label, "db");
}

// A service file may name hosts that libpq would resolve on the loop.
TEST(ConnectPlan, AServiceIsAnErrorThatSaysWhatToWrite) {
  for (const std::string& error :
       {Error("postgresql:///?service=hunter2"), Error("postgresql://db/x?service=hunter2"),
        Error("db1", Table("service=hunter2")), Error("/run", Table("dbname=x service=hunter2"))}) {
    EXPECT_NE(error.find("service files are not read"), std::string::npos) << error;
    EXPECT_NE(error.find("instead"), std::string::npos) << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  }
}

// libpq ends the password at the first '@': the rest would be taken, resolved and logged as a host.
TEST(ConnectPlan, APasswordWithAnUnescapedAtSignIsAnErrorAndNotShown) {
  const std::string error = Error("postgresql://u:first@hunter2@db/x");
  EXPECT_NE(error.find("%40"), std::string::npos) << error;
  EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  // An abstract UNIX socket begins with one.
  EXPECT_EQ(Plan("postgresql://%40abstract/x").label, "@abstract");
}

// Used as libpq understands it, as in stock, but nothing that may be the password's is named.
TEST(ConnectPlan, WhatAUnescapedPasswordMayHaveBecomeIsNotShown) {
  for (const char* uri : {"postgresql://mail:p@ss/w#rd@db1/mail", "postgresql://mail:12/w@db1/mail",
                          "postgresql://mail:p@ss?user=w@db1"}) {
    const ConnectPlan plan = Plan(uri);
    EXPECT_EQ(plan.label, kHiddenHost) << uri;
    EXPECT_EQ(plan.user + plan.dbname, "") << uri;
    EXPECT_TRUE(plan.secretive) << uri;
  }
  EXPECT_EQ(Plan("postgresql://mail:p@ss/w#rd@db1/mail").endpoints,
            (std::vector<Endpoint>{{"ss", "", ""}}));
  EXPECT_FALSE(Plan("postgresql://mail:p%40ss%2Fw%23rd@db1/mail").secretive);

  const config::TableConfig table = Table("postgresql://mail:p@ss/w#rd@db1/mail");
  const ConnectPlan by_name = Plan("db2", table);
  EXPECT_EQ(by_name.label, "db2");
  EXPECT_EQ(by_name.user, "reader");
  EXPECT_EQ(by_name.dbname, "");
  EXPECT_EQ(Value(by_name, "dbname"), "w#rd@db1/mail");
  EXPECT_TRUE(by_name.secretive);
  EXPECT_EQ(Plan("", table).label, kHiddenHost) << "the URI's host";
  EXPECT_EQ(Plan("db2", Table("postgres:/mail:pw@db1/mail")).dbname, "");
  const ConnectPlan no_directory = Plan("//mail:pw@db1/mail");
  EXPECT_EQ(no_directory.label, kHiddenHost);
  EXPECT_EQ(no_directory.dbname, "mail");
  EXPECT_TRUE(no_directory.secretive);
}

}  // namespace
}  // namespace proxymux::pgsql
