#include "proxy/survey/connect_advice.h"

#include <array>
#include <string>

namespace proxymux::proxy {
namespace {

struct Known {
  std::string_view sqlstate;  // empty: any
  std::string_view words;     // in the text; empty: any
  ConnectAdvice advice;
};

// The first one that fits counts. SQLSTATEs: PostgreSQL manual, "PostgreSQL Error Codes"; words:
// those of libpq, which has no codes for its own.
constexpr std::array kKnown = {
    Known{"28P01", "", {"password", "write the role's password, or give it this one (ALTER ROLE)"}},
    Known{"28000",
          "no encryption",
          {"hosts",
           "add a line for this client, role and database to the server's pg_hba.conf, or, "
           "where its line wants TLS, set sslmode for the pool in proxymux.yaml"}},
    Known{"28000",
          "SSL off",
          {"hosts",
           "add a line for this client, role and database to the server's pg_hba.conf, or, "
           "where its line wants TLS, set sslmode for the pool in proxymux.yaml"}},
    Known{"28000",
          "pg_hba.conf",
          {"hosts", "add a line for this client, role and database to the server's pg_hba.conf"}},
    Known{"28000", "does not exist", {"user", "write the name of a role, or create this one"}},
    Known{"28000", "not permitted to log in", {"user", "ALTER ROLE ... LOGIN"}},
    Known{
        "28000", "certificate", {"hosts", "name sslcert and sslkey for the pool in proxymux.yaml"}},
    Known{"3D000", "", {"dbname", "write the name of a database, or create this one"}},
    Known{"42501", "database", {"dbname", "GRANT CONNECT ON DATABASE ... TO this role"}},
    Known{"53300", "", {"hosts", "end sessions that are not needed, or raise max_connections"}},
    Known{"57P03", "", {"hosts", "wait until the server has started"}},
    Known{"22023", "client_encoding", {"encoding", "write the name of an encoding: UTF8"}},
    Known{"", "no such database", {"dbname", "add this database to the pooler's configuration"}},
    Known{"", "no such user", {"user", "add this role to the pooler's configuration"}},
    Known{"",
          "root certificate file",
          {"hosts",
           "name the file with the CA's certificate as sslrootcert of the pool in "
           "proxymux.yaml"}},
    Known{"",
          "certificate verify failed",
          {"hosts", "name the file with the certificate of the server's own CA as sslrootcert"}},
    Known{"",
          "does not match host name",
          {"hosts", "write the host name that the server's certificate has"}},
    Known{"",
          "does not support SSL",
          {"hosts", "set ssl = on at the server, or require no TLS (sslmode)"}},
    Known{"",
          "could not translate host name",
          {"hosts", "write a name that this machine resolves, or an address"}},
    Known{"",
          "Connection refused",
          {"hosts",
           "is PostgreSQL running there, and listening on this address and port "
           "(listen_addresses, port)?"}},
    Known{"",
          "No such file",
          {"hosts",
           "is PostgreSQL running, and is this the directory of its socket "
           "(unix_socket_directories)?"}},
    Known{"", "timed out", {"hosts", "is the address right, and is no firewall in between?"}},
    Known{"", "No route to host", {"hosts", "is the address right, and is the host up?"}},
    Known{"", "Permission denied", {"hosts", "let mail_owner enter the directory of the socket"}},
};

}  // namespace

ConnectAdvice AdviceFor(const pgsql::ConnectionFault& fault) {
  for (const Known& known : kKnown) {
    if (!known.sqlstate.empty() && known.sqlstate != fault.sqlstate) continue;
    if (fault.text.find(known.words) == std::string::npos) continue;
    return known.advice;
  }
  return {"hosts", ""};
}

}  // namespace proxymux::proxy
