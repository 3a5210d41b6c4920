#include "pgsql/table/host_spec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::pgsql {
namespace {

// KIND NAME PORT, or the error.
std::string Parse(std::string_view entry) {
  auto result = ParseHost(entry);
  if (const auto* error = std::get_if<std::string>(&result)) return *error;
  const HostSpec& host = std::get<HostSpec>(result);
  const char* kind = "";
  switch (host.kind) {
    case HostKind::kUnixSocket:
      kind = "unix ";
      break;
    case HostKind::kTcp:
      kind = "tcp ";
      break;
    case HostKind::kUri:
      kind = "uri ";
      break;
  }
  return kind + host.name + " " + std::to_string(host.port);
}

TEST(HostSpec, NamesAndPorts) {
  EXPECT_EQ(Parse("localhost"), "tcp localhost 0");
  EXPECT_EQ(Parse("db1:5433"), "tcp db1 5433");
  EXPECT_EQ(Parse("inet:db1:5433"), "tcp db1 5433");
  EXPECT_EQ(Parse("unix:db1"), "tcp db1 0");
  EXPECT_EQ(Parse("10.0.0.1:1"), "tcp 10.0.0.1 1");
  EXPECT_EQ(Parse("db1:65535"), "tcp db1 65535");
}

TEST(HostSpec, ADirectoryTakesNoPort) {
  EXPECT_EQ(Parse("/run/postgresql"), "unix /run/postgresql 0");
  EXPECT_EQ(Parse("unix:/dir:5501"), "unix /dir:5501 0");
  EXPECT_EQ(Parse("inet:/dir"), "unix /dir 0");
}

TEST(HostSpec, AnEmptyNameIsLibpqsSocket) {
  EXPECT_EQ(Parse(""), "unix  0");
  EXPECT_EQ(Parse("unix:"), "unix  0");
  EXPECT_EQ(Parse(":5433"), "unix  5433");
}

TEST(HostSpec, SplitsAtTheLastColon) {
  EXPECT_EQ(Parse("::1:5432"), "tcp ::1 5432");
  EXPECT_EQ(Parse("fe80::1%eth0:5432"), "tcp fe80::1%eth0 5432");
}

TEST(HostSpec, AddressesInBrackets) {
  EXPECT_EQ(Parse("[::1]"), "tcp ::1 0");
  EXPECT_EQ(Parse("[::1]:5433"), "tcp ::1 5433");
  EXPECT_EQ(Parse("inet:[2001:db8::5]:5433"), "tcp 2001:db8::5 5433");
}

TEST(HostSpec, UrisAreKeptWhole) {
  EXPECT_EQ(Parse("postgresql://u:p@a,b:5433/db?sslmode=require"),
            "uri postgresql://u:p@a,b:5433/db?sslmode=require 0");
  EXPECT_EQ(Parse("postgres://a"), "uri postgres://a 0");
}

TEST(HostSpec, ErrorsSayWhatToWrite) {
  EXPECT_EQ(Parse("::1"),
            "\"::1\": the port is missing; write [::1] for this address and the default port");
  EXPECT_NE(Parse("a:b:5432").find("neither a host name nor an IPv6 address"), std::string::npos);
  for (const char* entry : {"db:", "db:0", "db:65536", "db:x", "db:+5", "db:5 ", "[::1]:x", ":x"})
    EXPECT_NE(Parse(entry).find("is not a port; write a number from 1 to 65535"), std::string::npos)
        << entry << ": " << Parse(entry);
  EXPECT_NE(Parse("[::1").find("']' is missing"), std::string::npos);
  EXPECT_NE(Parse("[db]").find("is not an IPv6 address"), std::string::npos);
  EXPECT_NE(Parse("[::1]5432").find("write a colon"), std::string::npos);
}

TEST(HostSpec, KindsOrderByPreference) {
  EXPECT_LT(HostKind::kUnixSocket, HostKind::kTcp);
  EXPECT_LT(HostKind::kTcp, HostKind::kUri);
}

TEST(HostSpec, ErrorsQuoteNothingOfAMistypedUri) {
  for (const char* entry : {"postgresql:/mail:S3kret@db:5432", "Pw,S3kret@host:x/mail",
                            "postgres:mail:S3kret", "mail:S3kret@db:port"}) {
    const auto parsed = ParseHost(entry);
    const auto* error = std::get_if<std::string>(&parsed);
    ASSERT_NE(error, nullptr) << entry;
    EXPECT_EQ(error->find("S3kret"), std::string::npos) << *error;
  }
}

// Commas and white space separate entries: a password that holds one makes several.
TEST(HostSpec, ThePiecesOfAUriAreOneFaultThatQuotesNothing) {
  using Entries = std::vector<std::string>;
  for (const Entries& entries :
       {Entries{"postgresql://mail:Pw", "Pw@db1/mail"}, Entries{"postgresql://mail:12", "Pw@db1"},
        Entries{"postgresql://mail:12", "Pw/Pw", "Pw:Pw", "/Pw@db1/mail"},
        Entries{"postgresql://mail:Pw@Pw", "Pw", "Pw@db1/mail"},
        Entries{"postgres:/mail:Pw", "Pw:x", "Pw@db1/mail"}, Entries{"mail:Pw", "Pw@db1"},
        Entries{"postgresql://mail", "Pw@db1"}}) {
    const ParsedHosts parsed = ParseHosts(entries);
    EXPECT_TRUE(parsed.hosts.empty()) << entries.front();
    ASSERT_EQ(parsed.faults.size(), 1u) << entries.front();
    EXPECT_EQ(parsed.faults[0].find("Pw"), std::string::npos) << parsed.faults[0];
    EXPECT_NE(parsed.faults[0].find("%2C"), std::string::npos) << parsed.faults[0];
  }
  const ParsedHosts mixed =
      ParseHosts({"db0", "postgresql://u:p@db1/x", "db2:1", "postgresql://u:Pw", "Pw@db3/x",
                  "postgresql://db4/x", "db5"});
  ASSERT_EQ(mixed.hosts.size(), 5u) << "the others stay in use";
  EXPECT_EQ(mixed.hosts[1].name, "postgresql://u:p@db1/x");
  EXPECT_EQ(mixed.hosts[4].name, "db5");
  EXPECT_EQ(mixed.faults.size(), 1u);
}

TEST(HostSpec, WhatMayShowAPasswordIsNotShown) {
  for (const char* text :
       {"postgresql://u:p%40w@db1/x", "postgresql://u@db1", "postgres:///x?host=/tmp",
        "postgresql://db1:5432/x?sslmode=require", "postgresql://u:p?w#x:y@db1/x", "mail", "mail@x",
        "user=a password=x:y@z//"}) {
    EXPECT_EQ(WhetherToShow(text), Showable::kYes) << text;
  }
  for (const char* text :
       {"postgresql://u:p@w@db1/x", "postgresql://u:p@@db1/x", "postgresql://u:p@w/x#y@db1/x",
        "postgresql://u:1/w@db1/x", "postgresql://u:p@w?user=x@db1/x",
        "postgresql://db1/x?password=p@w", "postgres://u:1/w?user=x@db1"}) {
    EXPECT_EQ(WhetherToShow(text), Showable::kStrayAt) << text;
  }
  for (const char* text : {"postgres:/u:pw@db1", "postgressql://u:pw@db1/x", "u:pw@db1", "//x"}) {
    EXPECT_EQ(WhetherToShow(text), Showable::kMistypedUri) << text;
  }
}

}  // namespace
}  // namespace proxymux::pgsql
