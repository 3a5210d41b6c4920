// A way to raise every error that pgsql/error_class.cc has a rule for, on a real server, and what
// is to become of the lookup that meets it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pgsql/host/error_class.h"
#include "tests/harness/postgres_cluster.h"

namespace proxymux::integration {

// Of a lookup that fails on one host while another could answer.
enum class Becomes {
  kRetry,      // its own fault: RETRY, and nothing else happens
  kConfig,     // the query's fault: CONFIG, unless another mirror takes it
  kElsewhere,  // another host answers it; the connection stays
  kMoved,      // another host answers it; the connection is replaced
};

struct ErrorCase {
  std::string_view rule;  // as ErrorRules() has it: a code, or a class
  std::string_view code;  // what the server says
  std::string statement;  // raises it
  Becomes becomes;
  bool writes = false;  // not possible in a function that only reads
};

// What a fault means when the server says it as an ERROR in a query.
Becomes BecomesOf(pgsql::Fault fault);

const std::vector<ErrorCase>& ErrorCases();

// Makes the functions trouble(code) and trouble_writing(code), of which the first only reads, in
// the mail database. Where `armed`, each runs the statement of that case; otherwise, and for any
// other code, it returns `calm`.
void CreateTroubles(harness::PostgresCluster& cluster, bool armed);

// An error that refuses connections.
struct RefusalCase {
  std::string_view rule;
  std::string_view code;
  std::vector<std::string> spoil;  // run one by one in the database postgres
  std::vector<std::string> mend;
  std::string reason;  // a part of what the server says
};

const std::vector<RefusalCase>& RefusalCases();

}  // namespace proxymux::integration
