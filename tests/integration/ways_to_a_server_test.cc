// Every way by which a table file can lead to a server: addresses of each family, sockets, TLS and
// what is checked in it, passwords and certificates. Stock is asked beside proxymux, with the same
// file: where one gets in the other does, by the same way, and where one is refused the other is.
//
// The query answers how its own session came.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/harness/certificates.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/socket.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::CertificateAuthority;
using harness::PostfixInstance;
using harness::Service;
using protocol::Status;

// Such as "plain 4 scram_role", "TLS socket x", "TLS of /CN=reader 6 reader".
constexpr char kHowItCame[] =
    "SELECT concat_ws(' ', CASE WHEN s.ssl THEN 'TLS' ELSE 'plain' END, 'of ' || s.client_dn, "
    "coalesce(family(inet_client_addr())::text, 'socket'), session_user) "
    "FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid() AND '%s' <> ''";
constexpr char kPassword[] = "let me in";
constexpr char kPasswordInUri[] = "let%20me%20in";

constexpr char kAccess[] =
    "local all postgres trust\n"
    "local all postfix peer\n"
    "local all all scram-sha-256\n"
    "hostssl all by_certificate all cert\n"
    "hostssl all by_both all scram-sha-256 clientcert=verify-ca\n"
    "hostssl all only_tls all scram-sha-256\n"
    "hostnossl all only_plain all scram-sha-256\n"
    "host all by_md5 all md5\n"
    "host all by_scram all scram-sha-256\n";

// A server with TLS on both families of loopback addresses and a socket.
class TlsServer {
 public:
  explicit TlsServer(MailWorld& world)
      : directory_(world.NewDirectory() + ".tls"),
        authority_(MakeDirectory(directory_), "authority"),
        other_authority_(directory_, "other"),
        client_(authority_.Issue("by_certificate", "root:postfix")),
        server_(world.NewDirectory(), Options()) {
    server_.Start();
    std::string roles = "SET password_encryption = 'scram-sha-256'; CREATE ROLE postfix LOGIN;";
    for (const char* role :
         {"by_certificate", "by_both", "only_tls", "only_plain", "by_scram", "by_md5"}) {
      if (role == std::string("by_md5")) roles += "SET password_encryption = 'md5';";
      roles += std::string("CREATE ROLE ") + role + " LOGIN PASSWORD '" + kPassword + "';";
    }
    server_.Sql("postgres", roles);
  }

  int Version() { return std::stoi(server_.Sql("postgres", "SHOW server_version_num")); }
  std::string port() const { return std::to_string(server_.port()); }
  const std::string& socket_directory() const { return server_.socket_directory(); }
  const std::string& authority_file() const { return authority_.file(); }
  const std::string& other_authority_file() const { return other_authority_.file(); }
  // Parameters of a URI.
  std::string ClientCertificate() const {
    return "&sslcert=" + client_.file + "&sslkey=" + client_.key_file;
  }

 private:
  static std::string MakeDirectory(const std::string& path) {
    std::filesystem::create_directory(path);
    return path;
  }
  harness::PostgresCluster::Options Options() {
    const auto certificate =
        authority_.Issue("localhost", "postgres", "DNS:localhost,IP:127.0.0.1");
    harness::WriteFile(directory_ + "/pg_hba.conf", kAccess);
    harness::PostgresCluster::Options options;
    options.address = "127.0.0.1,::1";
    options.settings = {"ssl = on", "ssl_cert_file = '" + certificate.file + "'",
                        "ssl_key_file = '" + certificate.key_file + "'",
                        "ssl_ca_file = '" + authority_.file() + "'",
                        "hba_file = '" + directory_ + "/pg_hba.conf'"};
    return options;
  }

  std::string directory_;
  CertificateAuthority authority_, other_authority_;
  CertificateAuthority::Certificate client_;
  harness::PostgresCluster server_;
};

struct Way {
  std::string name;
  std::string hosts, role;
  std::string came;  // how the session came; empty: it is refused
};

bool IsError(const Answer& answer) {
  return answer.Is(Status::kRetry) || answer.Is(Status::kConfig);
}

class WaysToAServer : public testing::Test {
 protected:
  // One table file for each, through both services.
  void Try(const std::vector<Way>& ways) {
    PostfixInstance::Options options = world_.Options(Service::kStock);
    options.tables.clear();
    for (const Way& way : ways) {
      // With a URI neither takes user and password from elsewhere in the file.
      std::string hosts = way.hosts;
      constexpr std::string_view kScheme = "postgresql://";
      if (hosts.starts_with(kScheme)) {
        hosts.insert(kScheme.size(), way.role + ":" + kPasswordInUri + "@");
      }
      options.tables.push_back(
          {way.name + ".cf", "hosts = " + hosts + "\nuser = " + way.role + "\npassword = " +
                                 kPassword + "\ndbname = postgres\nquery = " + kHowItCame + "\n"});
    }
    PostfixInstance stock(world_.NewDirectory(), options);
    options.service = Service::kInPlace;
    options.proxymux = harness::ProxymuxBinary();
    options.yaml = "pool: {outage_wait: 0s}\n";  // a refusal is not to be waited for
    PostfixInstance ours(world_.NewDirectory(), options);
    stock.Start();
    ours.Start();
    if (!harness::CanListenOnIpv6()) std::cout << "no IPv6 here: not asked\n";
    harness::ProxymapClient stock_client(stock.SocketPath());
    harness::ProxymapClient our_client(ours.SocketPath());
    for (const Way& way : ways) {
      if (way.hosts.find("[::1]") != std::string::npos && !harness::CanListenOnIpv6()) continue;
      SCOPED_TRACE(way.name + ": " + way.hosts);
      const std::string file = way.name + ".cf";
      const Answer judge = stock_client.Lookup(stock.Table(file), "key");
      const Answer answer = our_client.Lookup(ours.Table(file), "key");
      if (way.came.empty()) {
        EXPECT_TRUE(IsError(judge)) << "stock: " << Describe(judge) << stock.Log();
        EXPECT_TRUE(IsError(answer)) << Describe(answer) << ours.Log();
      } else {
        EXPECT_TRUE(judge.IsValue(way.came)) << "stock: " << Describe(judge) << stock.Log();
        EXPECT_TRUE(answer.IsValue(way.came)) << Describe(answer) << ours.Log();
      }
    }
  }
  std::string Uri(const std::string& host, const std::string& parameters) const {
    return "postgresql://" + host + ":" + server_.port() + "/postgres?" + parameters;
  }
  // The same with the authority that signed the server's certificate.
  std::string Verified(const std::string& host, const std::string& more) const {
    return Uri(host, "sslmode=verify-full&sslrootcert=" + server_.authority_file() + more);
  }

  MailWorld& world_ = MailWorld::Instance();
  TlsServer server_{world_};
};

TEST_F(WaysToAServer, AddressesAndSockets) {
  const std::string& directory = server_.socket_directory();
  std::string escaped;
  for (const char c : directory) escaped += c == '/' ? "%2F" : std::string(1, c);
  Try({
      {"address", "127.0.0.1:" + server_.port(), "by_scram", "TLS 4 by_scram"},
      {"uri", Uri("127.0.0.1", "sslmode=disable"), "by_scram", "plain 4 by_scram"},
      {"six", Uri("[::1]", "sslmode=disable"), "by_scram", "plain 6 by_scram"},
      {"six-tls", Uri("[::1]", "sslmode=require"), "by_scram", "TLS 6 by_scram"},
      {"hostaddr", Uri("localhost", "sslmode=disable&hostaddr=127.0.0.1"), "by_scram",
       "plain 4 by_scram"},
      {"directory", directory, "by_scram", "plain socket by_scram"},
      {"unix", "unix:" + directory, "by_scram", "plain socket by_scram"},
      {"socket-uri", "postgresql://" + escaped + ":" + server_.port() + "/postgres", "by_scram",
       "plain socket by_scram"},
      {"peer", directory, "postfix", "plain socket postfix"},
      {"other-peer", Uri("127.0.0.1", ""), "postfix", ""},
  });
}

TEST_F(WaysToAServer, Passwords) {
  Try({
      {"md5", "127.0.0.1:" + server_.port(), "by_md5", "TLS 4 by_md5"},
      {"only-plain", "127.0.0.1:" + server_.port(), "only_plain", "plain 4 only_plain"},
      {"only-plain-with-tls", Uri("127.0.0.1", "sslmode=require"), "only_plain", ""},
      {"only-tls", Uri("127.0.0.1", "sslmode=allow"), "only_tls", "TLS 4 only_tls"},
      {"only-tls-without", Uri("127.0.0.1", "sslmode=disable"), "only_tls", ""},
      {"nobody", "127.0.0.1:" + server_.port(), "nobody", ""},
      {"bound", Uri("127.0.0.1", "sslmode=require&channel_binding=require"), "by_scram",
       "TLS 4 by_scram"},
      {"bound-without-tls", Uri("127.0.0.1", "sslmode=disable&channel_binding=require"), "by_scram",
       ""},
      {"bound-md5", Uri("127.0.0.1", "sslmode=require&channel_binding=require"), "by_md5", ""},
  });
}

TEST_F(WaysToAServer, Certificates) {
  const std::string certificate = server_.ClientCertificate();
  const std::string of_client = "TLS of /CN=by_certificate 4 ";
  const std::string stranger = "&sslrootcert=" + server_.other_authority_file();
  Try({
      {"verified", Verified("127.0.0.1", ""), "only_tls", "TLS 4 only_tls"},
      {"verified-name", Verified("localhost", "&hostaddr=127.0.0.1"), "only_tls", "TLS 4 only_tls"},
      {"other-name", Verified("[::1]", ""), "only_tls", ""},  // not in the certificate
      {"other-name-unchecked",
       Uri("[::1]", "sslmode=verify-ca&sslrootcert=" + server_.authority_file()), "only_tls",
       "TLS 6 only_tls"},
      {"stranger", Uri("127.0.0.1", "sslmode=verify-ca" + stranger), "only_tls", ""},
      {"stranger-falls-back", Uri("127.0.0.1", "sslmode=prefer" + stranger), "by_scram",
       "plain 4 by_scram"},
      {"client", Verified("127.0.0.1", certificate), "by_certificate",
       of_client + "by_certificate"},
      {"no-client", Verified("127.0.0.1", ""), "by_certificate", ""},
      {"other-client", Verified("127.0.0.1", certificate), "by_scram", of_client + "by_scram"},
      {"both", Verified("127.0.0.1", certificate), "by_both", of_client + "by_both"},
      {"only-password", Verified("127.0.0.1", ""), "by_both", ""},
      {"no-file", Verified("127.0.0.1", "&sslcert=/nonexistent.crt"), "by_certificate", ""},
  });
}

// From libpq 17 on, with a server as new; before, the parameter is not known to it.
TEST_F(WaysToAServer, TlsFromTheFirstByte) {
  const std::string direct = "sslmode=require&sslnegotiation=direct";
  const bool known = std::min(PQlibVersion(), server_.Version()) >= 170000;
  Try({{"direct", Uri("127.0.0.1", direct), "by_scram", known ? "TLS 4 by_scram" : ""}});
}

}  // namespace
}  // namespace proxymux::integration
