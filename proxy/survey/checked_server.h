// One host of one pool, as `check` found it. Pure.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "pgsql/inquiry/server_facts.h"

namespace proxymux::proxy {

struct CheckedServer {
  // What of the server was made sure of (libpq, "SSL Mode Descriptions").
  enum class Verified { kNothing, kCertificate, kCertificateAndName };

  std::string host;  // its label
  std::string pool;
  std::string file;   // of the first table that names it
  int line = 0;       // and where
  std::string fault;  // why it was not reached, or not heard to the end; empty: it was

  std::string address;  // numeric; empty: a UNIX socket, or nothing was reached
  std::string place;    // PgInquiry::Place(): pools that lead to one server have the same
  std::optional<pgsql::ServerFacts> facts;
  std::string tls;  // "TLSv1.3"; empty: nothing is encrypted
  Verified verified = Verified::kNothing;
  bool pooler = false;  // between this machine and the server
  // Standbys only: how long ago the latest change was made that it has; nothing: it has not said.
  std::optional<std::chrono::milliseconds> latest_change;

  long long proxymux = 0;  // sessions that the pool can have there
  long long stock = 0;     // that stock's processes can have there; 0: no limit is known

  // It was connected to.
  bool reached() const { return !place.empty(); }

  // For people, without host and pool.
  std::string Text() const;
  nlohmann::ordered_json Json() const;
};

}  // namespace proxymux::proxy
