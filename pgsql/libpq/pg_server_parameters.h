// What a server has told of its session's settings (libpq, "PQparameterStatus"), as far as it
// matters here.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

namespace proxymux::pgsql {

// Whether the server is still one that `wanted`, a value of target_session_attrs, asks for; libpq
// only looks while it connects. Servers from PostgreSQL 14 on tell that they were promoted or
// became read-only, with the end of the next batch; of others, and for an empty `wanted`, true.
bool SuitsTarget(const PGconn* connection, std::string_view wanted);

// See UpstreamConnection::ServerVersion(). The server is not trusted with more than that.
std::string ServerVersion(const PGconn* connection);

}  // namespace proxymux::pgsql
