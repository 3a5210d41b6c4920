// The one source of chance of a random test: the same seed gives the same tables and keys.
//
// Built on std::mt19937_64 alone, whose sequence the standard fixes, and not on the standard's
// distributions, which it does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace proxymux::differential {

class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : engine_(seed) {}

  // From 0 to n - 1; n must not be 0.
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  // From `low` to `high`, both included.
  std::size_t Between(std::size_t low, std::size_t high) { return low + Below(high - low + 1); }
  bool OneIn(std::size_t n) { return Below(n) == 0; }
  bool Percent(std::size_t chance) { return Below(100) < chance; }
  std::uint64_t NextSeed() { return engine_(); }

  template <typename Container>
  const typename Container::value_type& Pick(const Container& from) {
    return from[Below(from.size())];
  }
  // One of the words.
  template <std::size_t kCount>
  std::string Word(const char* const (&words)[kCount]) {
    return words[Below(kCount)];
  }

 private:
  std::mt19937_64 engine_;
};

// What a run is told: its seed, how much it does.
inline std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoull(value);
}

}  // namespace proxymux::differential
