// What the integration tests of one program share: two mirrored PostgreSQL servers with the mail
// schema, and a directory.
#pragma once

#include <string>

#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::integration {

inline constexpr int kUsers = 1000;
inline constexpr int kConnectionLimit = 4;  // the default of pool.connections

class MailWorld {
 public:
  // Made at the first call, ended with the program.
  static MailWorld& Instance();

  harness::PostgresCluster& first() { return first_; }
  harness::PostgresCluster& second() { return second_; }
  // Both run again, whatever a test did to them.
  void Mend();
  int Connections();  // of the mail tables' role, on both

  // A name below the world's directory that no one has used.
  std::string NewDirectory();
  const std::string& directory() const { return directory_.path(); }

  // The schema's tables on both mirrors, proxymux as `service` says.
  harness::PostfixInstance::Options Options(harness::Service service);
  std::string Hosts() const { return first_.TcpHost() + " " + second_.TcpHost(); }

 private:
  MailWorld();

  harness::TempDirectory directory_;
  harness::PostgresCluster first_, second_;
  int directories_ = 0;
};

}  // namespace proxymux::integration
