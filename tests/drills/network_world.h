// Two mirrors, each in a room of its own behind a network that can be cut.
#pragma once

#include <string>

#include "tests/harness/mail_schema.h"
#include "tests/harness/network_room.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::drills {

class NetworkWorld {
 public:
  // A mirror and the room that it is in.
  class Mirror {
   public:
    Mirror(const std::string& directory, int number);
    harness::NetworkRoom& room() { return room_; }
    harness::PostgresCluster& cluster() { return cluster_; }

   private:
    harness::NetworkRoom room_;
    harness::PostgresCluster cluster_;
  };

  // Made at the first call, which must come before there are threads; ended with the program.
  static NetworkWorld& Instance();

  Mirror& first() { return first_; }
  Mirror& second() { return second_; }
  std::string Hosts() { return first_.cluster().TcpHost() + " " + second_.cluster().TcpHost(); }
  void Mend();  // both can be reached
  std::string NewDirectory() { return directory_ / std::to_string(++directories_); }

 private:
  NetworkWorld();

  harness::TempDirectory directory_;
  Mirror first_, second_;
  int directories_ = 0;
};

}  // namespace proxymux::drills
