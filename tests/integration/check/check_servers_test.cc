// Mistakes that a server tells of when it is connected to, and what is said of the servers.
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "tests/harness/certificates.h"
#include "tests/harness/deadline.h"
#include "tests/harness/pg_bouncer.h"
#include "tests/harness/socket.h"
#include "tests/harness/tcp_gate.h"
#include "tests/integration/check/asked_servers.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(CheckServers, GoodOnesAreDescribed) {
  const CommandResult result = Connected();
  EXPECT_EQ(result.status, kNothingWrong) << result.out << result.err;
  for (const std::string& host : {world_.first().TcpHost(), world_.second().TcpHost()}) {
    EXPECT_THAT(result.out, HasSubstr("host " + host + " (pool mailreader@"));
  }
  EXPECT_THAT(result.out, AllOf(HasSubstr("): PostgreSQL "),
                                HasSubstr(", primary; not encrypted; "
                                          "database mail (UTF8) as "
                                          "mailreader; "),
                                HasSubstr(" sessions allowed, "),
                                HasSubstr("proxymux uses up to 4, stock could use 700"),
                                HasSubstr("; servers were asked as postfix (mail_owner)")));
}

TEST_F(CheckServers, HowOldAStandbysDataAre) {
  harness::PostgresCluster standby(world_.NewDirectory(), world_.first());
  standby.Start();
  Sql("CREATE TABLE replayed (k text)");
  Sql("DROP TABLE replayed");
  ASSERT_TRUE(harness::Eventually([&] {
    return standby.Sql("postgres", "SELECT pg_last_xact_replay_timestamp() IS NOT NULL") == "t";
  }));
  WriteTable(standby.TcpHost(), kQuery);
  EXPECT_THAT(Connected().out, HasSubstr(", standby, latest change "));
}

TEST_F(CheckServers, AsJson) {
  const CommandResult result = Run({"--connect", "--json"});
  const auto document = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_TRUE(document.is_object()) << result.out;
  EXPECT_EQ(document["connected"], true);
  ASSERT_EQ(document["servers"].size(), 2U);
  EXPECT_EQ(document["servers"][0]["reached"], true);
  EXPECT_EQ(document["servers"][0]["proxymux_sessions"], 4);
  EXPECT_EQ(document["servers"][0]["stock_sessions"], 700);
}

TEST_F(CheckServers, OnlyWhenAskedTo) {
  EXPECT_THAT(Offline().out, AllOf(Not(HasSubstr("PostgreSQL")), HasSubstr("no server was asked")));
  EXPECT_THAT(Run({}).out, HasSubstr("no server was asked")) << "this is no terminal";
  EXPECT_EQ(Run({"--connect", "--offline"}).status, 2);
}

TEST_F(CheckServers, AWrongPassword) {
  WriteTable("hosts = " + Host() +
             "\nuser = mailreader\npassword = wrong\ndbname = mail\nquery = " +
             "SELECT address FROM relay_recipient WHERE address = '%s'\n");
  Expect(kErrors,
         AllOf(HasSubstr(InTable(3, "error") + "host " + Host()),
               HasSubstr("password authentication failed"), HasSubstr("; write the role's")));
}

TEST_F(CheckServers, ADatabaseThatIsNotThere) {
  WriteTable("hosts = " + Host() + "\nuser = mailreader\npassword = let me read\ndbname = mial\n" +
             "query = SELECT address FROM relay_recipient WHERE address = '%s'\n");
  Expect(kErrors, AllOf(HasSubstr(InTable(4, "error")), HasSubstr("\"mial\" does not exist")));
}

TEST_F(CheckServers, AHostThatHasNoAddress) {
  WriteTable("nowhere.invalid", kQuery);
  Expect(kErrors, AllOf(HasSubstr(InTable(1, "error") + "host nowhere.invalid"),
                        HasSubstr("could not translate host name")));
}

TEST_F(CheckServers, APortThatNobodyListensOn) {
  WriteTable("127.0.0.1:" + std::to_string(harness::FreePort()), kQuery);
  Expect(kErrors, AllOf(HasSubstr(InTable(1, "error")), HasSubstr("Connection refused"),
                        HasSubstr("listen_addresses")));
}

TEST_F(CheckServers, TlsThatTheServerDoesNotHave) {
  WriteTable("hosts = " + Uri("sslmode=require") + "\ndbname = mail\nquery = SELECT '%s'\n");
  Expect(kErrors, AllOf(HasSubstr(InTable(1, "error")), HasSubstr("does not support SSL"),
                        HasSubstr("set ssl = on")));
}

TEST_F(CheckServers, WhatOfACertificateIsVerified) {
  const std::string directory = world_.NewDirectory() + ".tls";
  std::filesystem::create_directory(directory);
  const harness::CertificateAuthority authority(directory, "authority"), other(directory, "other");
  const auto certificate = authority.Issue("localhost", "postgres", "DNS:localhost");
  harness::PostgresCluster::Options options;
  options.settings = {"ssl = on", "ssl_cert_file = '" + certificate.file + "'",
                      "ssl_key_file = '" + certificate.key_file + "'"};
  harness::PostgresCluster server(world_.NewDirectory(), options);
  server.Start();
  server.Sql("postgres", "CREATE ROLE reader LOGIN PASSWORD 'x'");
  const auto require = [&](const std::string& host, const std::string& what) {
    WriteTable("hosts = postgresql://reader:x@" + host + ":" + std::to_string(server.port()) +
               "/postgres?sslmode=" + what + "\ndbname = postgres\nquery = SELECT '%s'\n");
  };
  require("localhost", "verify-full&sslrootcert=" + authority.file());
  Expect(kNothingWrong, HasSubstr(", certificate and host name verified; "));
  require("127.0.0.1", "verify-ca&sslrootcert=" + authority.file());
  Expect(kNothingWrong, HasSubstr(", certificate verified, host name not; "));
  require("127.0.0.1", "require");
  Expect(kNothingWrong, HasSubstr(", nothing verified; "));
  require("127.0.0.1", "verify-full&sslrootcert=" + authority.file());
  Expect(kErrors, AllOf(HasSubstr(InTable(1, "error")), HasSubstr("does not match host name"),
                        HasSubstr("; write the host name that")));
  require("localhost", "verify-ca&sslrootcert=" + other.file());
  Expect(kErrors, AllOf(HasSubstr(InTable(1, "error")), HasSubstr("certificate verify failed"),
                        HasSubstr("the server's own CA")));
}

TEST_F(CheckServers, SessionsThatTheRoleMayNotHave) {
  world_.first().Sql("postgres", "ALTER ROLE mailreader CONNECTION LIMIT 3");
  Expect(kErrors,
         AllOf(HasSubstr("allows the role mailreader 3 sessions, and the pool mailreader@"),
               HasSubstr(" may want 4")));
  world_.first().Sql("postgres", "ALTER ROLE mailreader CONNECTION LIMIT -1");
}

TEST_F(CheckServers, APoolerInBetween) {
  harness::PgBouncer between(world_.NewDirectory(), world_.first(), harness::PgBouncer::ForStock());
  between.Start();
  WriteTable(between.TcpHost(), "SELECT address FROM relay_recipient WHERE adress = '%s'");
  Expect(kErrors, AllOf(HasSubstr("; a pooler in between"), HasSubstr("(SQLSTATE 42703)")));
  // Its session is shared with others: nothing of what is tried stays in it.
  Sql("CREATE TABLE large (address text, v text);"
      "INSERT INTO large SELECT n, n FROM generate_series(1, 20000) n;"
      "GRANT SELECT ON large TO mailreader; ANALYZE large");
  for (int time = 0; time < 2; ++time) {
    WriteTable(between.TcpHost(), "SELECT v FROM large WHERE address = '%s'");
    Expect(kWarnings, HasSubstr("CREATE INDEX ON public.large (address)"));
  }
  Sql("DROP TABLE large");
}

// The server's answer, not its login, is what does not come.
TEST_F(CheckServers, AHostThatStopsAnsweringIsAnError) {
  harness::TcpGate gate(world_.first().port());
  gate.StopAt({harness::TcpGate::Ending::kSilence, 0, /*in_row=*/true});
  WriteTable(gate.TcpHost(), kQuery);
  Expect(kErrors, AllOf(HasSubstr("host " + gate.TcpHost()),
                        HasSubstr("did not answer all that it was asked: no answer within")));
}

// A time is no matter of this test; it is printed for whoever wants to know.
TEST_F(CheckServers, FiftyTables) {
  std::string approved = "proxy_read_maps =";
  for (int i = 0; i < 50; ++i) {
    const std::string name = "many-" + std::to_string(i) + ".cf";
    postfix_.WriteConfig(
        name, harness::TableText(world_.Hosts(), "SELECT address, " + std::to_string(i) +
                                                     " FROM relay_recipient WHERE address = '%s'"));
    approved += " proxy:" + postfix_.Table(name);
  }
  Set({approved, "virtual_alias_domains =", "virtual_alias_maps =", "virtual_mailbox_domains =",
       "virtual_mailbox_maps =", "transport_maps =", "relay_recipient_maps ="});
  const auto begin = std::chrono::steady_clock::now();
  Expect(kNothingWrong, HasSubstr("50 pgsql tables, 0 errors, 0 warnings"));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  std::printf("check: 50 tables on 2 hosts: %.2f s\n", taken.count());
}

// Once for the host, not for each of the seven tables.
TEST_F(CheckServers, AHostThatDoesNotAnswerCostsItsTimeOnce) {
  harness::TcpGate gate(world_.first().port());
  gate.SetNewcomers(harness::TcpGate::Newcomers::kIgnored);
  for (const harness::TableFile& table : harness::MailTables(gate.TcpHost())) {
    postfix_.WriteConfig(table.name, table.text);
  }
  postfix_.WriteConfig("proxymux.yaml", "pool: {connect_timeout: 1s}\n");
  Expect(kErrors, AllOf(HasSubstr("timed out"), HasSubstr("7 pgsql tables, 1 error, ")));
  EXPECT_EQ(gate.accepted(), 1U);
}

}  // namespace
}  // namespace proxymux::integration
