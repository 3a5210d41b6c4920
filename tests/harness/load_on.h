// The usual load on a service of a private Postfix: the tables of mail_schema, asked by so many
// clients.
#pragma once

#include "tests/harness/load_clients.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"

namespace proxymux::harness {

inline LoadOptions LoadOn(const PostfixInstance& postfix, int clients = 50) {
  LoadOptions options;
  options.socket = postfix.SocketPath();
  options.config_directory = postfix.config_directory();
  options.tables = LoadTables();
  options.clients = clients;
  return options;
}

}  // namespace proxymux::harness
