#include "tests/lint/rooms.h"

#include <algorithm>

namespace proxymux::lint {
namespace {

constexpr bool kSystem = true;

}  // namespace

const House& Rooms() {
  // Lowest first: a room includes only what stands above it here.
  // clang-format off
  static const House house = {
      {"protocol", "the wire of proxymap(8), without SQL and without sockets",
       {}},
      {"config/values", "settings as immutable values, and what of them is told to people",
       {}},
      {"pgsql/runtime", "what pgsql asks of the program: time, timers, sockets; how long things took",
       {}},
      {"pgsql/sql", "queries as text: tokens, what they may do, how a key gets into them",
       {}},
      {"proxy/text", "text: UTF-8, folding, columns, small files",
       {}, kSystem},
      {"config/postfix", "the syntax of Postfix's files",
       {"config/values", "protocol"}, kSystem},
      {"config/yaml", "proxymux.yaml",
       {"config/values", "protocol"}, kSystem},
      {"pgsql/table", "what a table file means, without a connection",
       {"config/values", "pgsql/runtime", "pgsql/sql"}, kSystem},
      {"proxy/uv", "libuv behind pgsql's hooks, and the owners of its handles",
       {"pgsql/runtime"}, kSystem},
      {"proxy/status", "what the process says of itself: values, document, metrics, text",
       {"pgsql/runtime", "proxy/text"}},
      {"proxy/log", "lines to where Postfix logs, and what is held back of them",
       {"pgsql/runtime"}, kSystem},
      {"pgsql/host", "the hosts of a pool: which are up, which one is next, whose fault an error is",
       {"config/values", "pgsql/runtime", "pgsql/table"}},
      {"pgsql/work", "what is to be asked: lookups, their tables, and the order in which they wait",
       {"config/values", "pgsql/host", "pgsql/runtime", "pgsql/table"}},
      {"pgsql/connection", "one connection as a pool sees it, and what is put on it; no libpq",
       {"pgsql/host", "pgsql/runtime", "pgsql/sql", "pgsql/table", "pgsql/work"}},
      {"pgsql/policy", "what a pool decides: which connection, whose session, silence, what follows from errors",
       {"pgsql/connection", "pgsql/host", "pgsql/runtime", "pgsql/table", "pgsql/work"}},
      {"pgsql/pool", "lookups in, answers out: carries out what the policies say",
       {"config/values", "pgsql/connection", "pgsql/host", "pgsql/policy", "pgsql/runtime",
        "pgsql/sql", "pgsql/table", "pgsql/work"}},
      {"proxy/process", "a process under master(8) or a service manager: rights, sockets, settings",
       {"config/postfix", "config/values", "proxy/text"}, kSystem},
      {"pgsql/pipeline", "what one connection has sent and must be answered; no libpq",
       {"config/values", "pgsql/connection", "pgsql/runtime"}},
      {"pgsql/libpq", "the real connections",
       {"config/values", "pgsql/connection", "pgsql/pipeline", "pgsql/pool", "pgsql/runtime",
        "pgsql/sql", "pgsql/table"}, kSystem},
      {"pgsql/inquiry", "questions to servers by commands that wait for the answers",
       {"pgsql/connection", "pgsql/libpq"}, kSystem},
      {"proxy/bench", "proxymux bench: the load generator",
       {"config/values", "pgsql/runtime", "protocol", "proxy/uv"}, kSystem},
      {"proxy/admin", "HTTP for the administrator, and asking it",
       {"proxy/log", "proxy/status", "proxy/uv"}, kSystem},
      {"proxy/relay", "the way of everything that is not pgsql: stock proxymap processes",
       {"pgsql/runtime", "protocol", "proxy/log", "proxy/uv"}, kSystem},
      {"proxy/tables", "which tables are served, and what of their answers is kept",
       {"config/postfix", "config/values", "config/yaml", "pgsql/libpq", "pgsql/pool",
        "pgsql/runtime", "pgsql/sql", "pgsql/table", "pgsql/work", "protocol", "proxy/log",
        "proxy/status", "proxy/text"}, kSystem},
      {"proxy/requests", "what is to be done with a request",
       {"pgsql/pool", "pgsql/runtime", "pgsql/sql", "pgsql/table", "pgsql/work", "protocol",
        "proxy/log", "proxy/relay", "proxy/status", "proxy/tables", "proxy/text"}},
      {"proxy/clients", "who is connected: accepting, sessions",
       {"protocol", "proxy/log", "proxy/requests", "proxy/uv"}, kSystem},
      {"proxy/daemon", "the service: builds everything, reloads, drains, ends",
       {"config/values", "config/yaml", "pgsql/libpq", "protocol", "proxy/admin",
        "proxy/clients", "proxy/log", "proxy/process", "proxy/relay", "proxy/requests",
        "proxy/status", "proxy/tables", "proxy/text", "proxy/uv"}, kSystem},
      {"proxy/check", "what is wrong with files, before mail finds it",
       {"config/postfix", "config/values", "pgsql/libpq", "pgsql/sql", "pgsql/work", "proxy/process",
        "proxy/tables", "proxy/text"}, kSystem},
      {"proxy/survey", "what database servers say to the tables, before mail does",
       {"config/values", "pgsql/connection", "pgsql/host", "pgsql/inquiry", "pgsql/libpq", "pgsql/sql",
        "pgsql/table", "pgsql/work", "proxy/check", "proxy/uv"}, kSystem},
      {"proxy/lookup", "proxymux lookup: one table asked without a service",
       {"config/postfix", "config/values", "config/yaml", "pgsql/connection", "pgsql/libpq",
        "pgsql/pool", "pgsql/runtime", "pgsql/sql", "pgsql/table", "pgsql/work", "protocol",
        "proxy/log", "proxy/process", "proxy/requests", "proxy/tables", "proxy/text", "proxy/uv"},
       kSystem},
      {"proxy/compare", "proxymux compare: the answers of stock's client beside ours",
       {"config/postfix", "proxy/text"}},
      {"proxy/install", "proxymux install and uninstall: Postfix's files, there and back",
       {"config/postfix", "config/values", "protocol", "proxy/process", "proxy/text"}, kSystem},
      {"proxy/cli", "the commands of the program, each a file, and its start under master(8)",
       {"config/postfix", "config/yaml", "pgsql/libpq", "protocol", "proxy/admin", "proxy/bench",
        "proxy/check", "proxy/compare", "proxy/daemon", "proxy/install", "proxy/log", "proxy/lookup",
        "proxy/process", "proxy/status", "proxy/survey", "proxy/tables", "proxy/text", "proxy/uv"},
       kSystem},
      {"proxy", "the program: under master(8) a daemon, otherwise a command",
       {"proxy/cli", "proxy/process"}},
  };
  // clang-format on
  return house;
}

std::string_view FolderOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

const Room* FindRoom(const House& house, std::string_view name) {
  const auto room = std::ranges::find(house, name, &Room::name);
  return room == house.end() ? nullptr : &*room;
}

}  // namespace proxymux::lint
