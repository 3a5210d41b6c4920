// What a storm (connection_pool_storm_test) hits: a pool with hosts, settings and tables that
// chance has made, and servers that say what they like.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "tests/fakes/scripted_upstream.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {

class StormWorld {
 public:
  explicit StormWorld(std::uint32_t seed);

  // What is alone on a connection goes by the simple protocol from now on, on one host at least.
  void MeasureSimpleIsBetter();

 protected:
  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  // The catalogue says what it likes, and changes.
  std::string AnswerTo(const fakes::ScriptedUpstream::Sent& sent);
  // Everything that can be answered, as servers do when all is well.
  void AnswerCalmly();

  std::minstd_rand random_;
  PoolWorld world_;
  std::vector<std::shared_ptr<TableBinding>> tables_;

 private:
  const std::shared_ptr<TableBinding>& AddWithParameters(const std::string& query,
                                                         config::StatementMode mode);
  // Asks a second host for what takes more than 2 ms, half of the time.
  void AddHedged(const std::string& query, WriteClass write_class);
  std::string Lag();

  int stamp_ = 0;
};

}  // namespace proxymux::pgsql
