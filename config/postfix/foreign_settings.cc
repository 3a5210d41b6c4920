#include "config/postfix/foreign_settings.h"

#include <algorithm>
#include <array>

namespace proxymux::config {
namespace {

constexpr std::string_view kNothingIsRequired =
    "nothing is required by this: for TLS write `dbname = dbname=NAME sslmode=verify-full "
    "sslrootcert=FILE`, or sslmode for the pool in proxymux.yaml";

struct Foreign {
  std::string_view name;
  std::string_view instead;
};

// From Postfix's other clients (mysql_table(5), ldap_table(5)), from libpq and from habit.
constexpr std::array kForeign = {
    Foreign{"charset", "write `encoding = UTF8`"},
    Foreign{"client_encoding", "write `encoding = UTF8`"},
    Foreign{"connect_timeout", "write connect_timeout for the pool in proxymux.yaml"},
    Foreign{"database", "write `dbname = NAME`"},
    Foreign{"db", "write `dbname = NAME`"},
    Foreign{"db_name", "write `dbname = NAME`"},
    Foreign{"host", "write `hosts = HOST`"},
    Foreign{"hostname", "write `hosts = HOST`"},
    Foreign{"pass", "write `password = TEXT`"},
    Foreign{"passwd", "write `password = TEXT`"},
    Foreign{"port", "write `hosts = HOST:PORT`"},
    Foreign{"require_tls", kNothingIsRequired},
    Foreign{"server", "write `hosts = HOST`"},
    Foreign{"socket", "write `hosts = /DIRECTORY`, that of the socket"},
    Foreign{"ssl", kNothingIsRequired},
    Foreign{"ssl_ca", kNothingIsRequired},
    Foreign{"ssl_cert", kNothingIsRequired},
    Foreign{"ssl_key", kNothingIsRequired},
    Foreign{"ssl_mode", kNothingIsRequired},
    Foreign{"sslcert", kNothingIsRequired},
    Foreign{"sslkey", kNothingIsRequired},
    Foreign{"sslmode", kNothingIsRequired},
    Foreign{"sslrootcert", kNothingIsRequired},
    Foreign{"tls", kNothingIsRequired},
    Foreign{"tls_CAfile", kNothingIsRequired},
    Foreign{"tls_CApath", kNothingIsRequired},
    Foreign{"tls_cert_file", kNothingIsRequired},
    Foreign{"tls_ciphers", kNothingIsRequired},
    Foreign{"tls_key_file", kNothingIsRequired},
    Foreign{"tls_verify_cert", kNothingIsRequired},
    Foreign{"unix_socket", "write `hosts = /DIRECTORY`, that of the socket"},
    Foreign{"username", "write `user = NAME`"},
};

}  // namespace

std::string_view InsteadOf(std::string_view name) {
  const auto at = std::ranges::find(kForeign, name, &Foreign::name);
  return at == kForeign.end() ? std::string_view() : at->instead;
}

}  // namespace proxymux::config
