// What is told of a host, for people and for programs.
#include "proxy/survey/checked_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace proxymux::proxy {
namespace {

using testing::HasSubstr;

CheckedServer Reached() {
  CheckedServer server;
  server.host = "db1:5432";
  server.pool = "mail@db1:5432/mail";
  server.address = "192.0.2.7";
  server.place = "192.0.2.7:5432";
  server.proxymux = 4;
  server.stock = 700;
  pgsql::ServerFacts facts;
  facts.version = "15.18 (Debian 15.18-1)";
  facts.version_number = 150018;
  facts.encoding = "UTF8";
  facts.database = "mail";
  facts.role = "reader";
  facts.max_connections = 100;
  facts.reserved = 3;
  facts.used = 9;
  server.facts = facts;
  return server;
}

TEST(CheckedServer, OneThatWasReached) {
  CheckedServer server = Reached();
  EXPECT_EQ(server.Text(),
            "PostgreSQL 15.18, primary, at 192.0.2.7; not encrypted; database mail (UTF8) as "
            "reader; 97 sessions allowed, 9 used now; proxymux uses up to 4, stock could use 700");
  server.host = "192.0.2.7:5432";
  EXPECT_EQ(server.Text().find(", at "), std::string::npos);
  server.stock = 0;
  EXPECT_THAT(server.Text(), HasSubstr("stock could use any number"));
  server.pooler = true;
  EXPECT_THAT(server.Text(), HasSubstr("; a pooler in between; "));
}

TEST(CheckedServer, AStandby) {
  CheckedServer server = Reached();
  server.facts->standby = true;
  EXPECT_THAT(server.Text(), HasSubstr("PostgreSQL 15.18, standby, at"));
  server.latest_change = std::chrono::seconds(90);
  EXPECT_THAT(server.Text(), HasSubstr(", standby, latest change 90s ago"));
  EXPECT_EQ(server.Json()["latest_change_ms"], 90000);
}

TEST(CheckedServer, WhatWasVerified) {
  CheckedServer server = Reached();
  server.tls = "TLSv1.3";
  EXPECT_THAT(server.Text(), HasSubstr("; TLSv1.3, nothing verified; "));
  server.verified = CheckedServer::Verified::kCertificate;
  EXPECT_THAT(server.Text(), HasSubstr("; TLSv1.3, certificate verified, host name not; "));
  server.verified = CheckedServer::Verified::kCertificateAndName;
  EXPECT_THAT(server.Text(), HasSubstr("; TLSv1.3, certificate and host name verified; "));
}

TEST(CheckedServer, OneThatCannotTellEverything) {
  CheckedServer server = Reached();
  server.facts->version_number = 120022;
  EXPECT_THAT(server.Text(), HasSubstr("what functions do is not looked at"));
  server.fault = "no answer within 8000 ms";
  EXPECT_THAT(server.Text(), HasSubstr("; not heard to the end: no answer within 8000 ms"));
}

TEST(CheckedServer, OneThatWasNotReached) {
  CheckedServer server;
  server.fault = "Connection refused";
  EXPECT_EQ(server.Text(), "not reached: Connection refused");
  EXPECT_EQ(server.Json()["reached"], false);
  EXPECT_FALSE(server.Json().contains("version"));
}

TEST(CheckedServer, OneThatWasReachedAndSaidNothing) {
  CheckedServer server = Reached();
  server.facts.reset();
  server.fault = "no answer within 8000 ms";
  EXPECT_EQ(server.Text(), "not heard: no answer within 8000 ms");
  EXPECT_EQ(server.Json()["reached"], true);
}

TEST(CheckedServer, AsJson) {
  const auto json = Reached().Json();
  EXPECT_EQ(json["version"], "15.18");
  EXPECT_EQ(json["standby"], false);
  EXPECT_EQ(json["address"], "192.0.2.7");
  EXPECT_EQ(json["allowed_sessions"], 97);
  EXPECT_EQ(json["used_sessions"], 9);
  EXPECT_EQ(json["proxymux_sessions"], 4);
  EXPECT_EQ(json["stock_sessions"], 700);
}

}  // namespace
}  // namespace proxymux::proxy
