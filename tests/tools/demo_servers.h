// The servers of the demonstration, all in one directory: two mirrored PostgreSQL servers, and on
// them a Postfix with the stock proxymap and one with proxymux in its place.
#pragma once

#include <memory>

#include "tests/harness/postfix_instance.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::tools {

inline constexpr int kUsers = 10000;  // in each database

struct DemoServers {
  harness::TempDirectory directory;
  std::unique_ptr<harness::PostgresCluster> first, second;
  std::unique_ptr<harness::PostfixInstance> stock, postfix;
};

}  // namespace proxymux::tools
