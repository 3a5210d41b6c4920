// What is asked, and what is the right answer: the tables of a run with their keys, the order in
// which they take turns, and the bytes of each request. Deterministic by the seed. In the steady
// state nothing is allocated: everything before a request's key is written down once.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply.h"
#include "proxy/bench/bench_keys.h"
#include "proxy/bench/bench_mix.h"
#include "proxy/bench/bench_options.h"

namespace proxymux::proxy {

// One thing to ask.
struct BenchLookup {
  std::uint64_t index = 0;  // of the key
  std::uint32_t table = 0;
  bool missing = false;  // ask for a key that should not be there
};

class BenchPlan {
 public:
  // `keys` has one element for each of the options' tables.
  BenchPlan(const BenchOptions& options, std::vector<BenchKeys> keys);

  BenchLookup Next();
  // The request, whole; valid until the next call.
  std::string_view Request(const BenchLookup& lookup);

  // Whether the answer contradicts what is known: another value, no value for a key that has one,
  // a value for a key that should be missing. Only answers (OK and NOKEY) can be wrong, and only
  // of tables whose values are known.
  bool IsWrong(const BenchLookup& lookup, const protocol::Reply& reply);
  // For people: `table, key: got "x", not "y"`.
  std::string Describe(const BenchLookup& lookup, const protocol::Reply& reply);

  bool verifies() const;  // some answers at least

 private:
  struct Table {
    std::string name;
    BenchKeys keys;
    BenchMix mix;
    double weights_to_here;  // cumulative, 1 for the last
    std::string request;     // up to the key; the rest is replaced each time
    std::size_t fixed_size;
  };

  bool weighted_;
  std::vector<Table> tables_;
  std::uint32_t turn_ = 0;
  std::mt19937_64 random_;
};

}  // namespace proxymux::proxy
