#include "pgsql/prepared_statements.h"

#include <chrono>

namespace proxymux::pgsql {
namespace {

constexpr auto kSoon = std::chrono::minutes(1);

}  // namespace

void PreparedStatements::Add(std::uint64_t id) {
  rounds_.emplace(id, round_);
  ++ever_;
}

void PreparedStatements::Forget(std::uint64_t id) {
  if (rounds_.erase(id) > 0) ++round_;
}

const std::string& PreparedStatements::NameOf(std::uint64_t id, const std::string& name,
                                              std::string* scratch) const {
  const auto found = rounds_.find(id);
  if (found == rounds_.end() || found->second == 0) return name;
  *scratch = name + "_" + std::to_string(found->second);
  return *scratch;
}

bool PreparedStatements::OnVanished(std::uint64_t id, Time sent, Time now) {
  // What was sent before the others were found missing, or whose PREPARE failed, tells nothing new.
  if (!Has(id) || (vanished_at_.has_value() && sent <= *vanished_at_)) return false;
  const bool again = vanished_at_.has_value() && now - *vanished_at_ < kSoon;
  vanished_at_ = now;
  rounds_.clear();
  ++round_;
  return again;
}

}  // namespace proxymux::pgsql
