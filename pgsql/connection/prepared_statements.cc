#include "pgsql/connection/prepared_statements.h"

#include <chrono>
#include <utility>

namespace proxymux::pgsql {
namespace {

constexpr auto kSoon = std::chrono::minutes(1);
constexpr auto kLongestUse = std::chrono::seconds(1);

}  // namespace

bool PreparedStatements::Has(std::uint64_t id, Time now) const {
  const auto found = statements_.find(id);
  return found != statements_.end() && now - found->second.since < kLongestUse;
}

void PreparedStatements::Add(std::uint64_t id, const std::string& name, Time now) {
  RetireOld(now);
  Statement& statement = statements_[id];
  statement.name = round_ == 0 ? name : name + "_" + std::to_string(round_);
  statement.since = now;
  ages_.push_back({id, now});
}

void PreparedStatements::RetireOld(Time now) {
  while (!ages_.empty() && now - ages_.front().since >= kLongestUse) {
    const Age age = ages_.front();
    ages_.pop_front();
    const auto found = statements_.find(age.id);
    if (found != statements_.end() && found->second.since == age.since) Retire(age.id);
  }
}

void PreparedStatements::Forget(std::uint64_t id) {
  if (statements_.erase(id) > 0) ++round_;
}

void PreparedStatements::Retire(std::uint64_t id) {
  const auto found = statements_.find(id);
  if (found == statements_.end()) return;
  left_over_.push_back(std::move(found->second.name));
  statements_.erase(found);
  ++round_;
}

void PreparedStatements::RetireAll() {
  while (!statements_.empty()) Retire(statements_.begin()->first);
  ages_.clear();
}

std::optional<std::string> PreparedStatements::TakeLeftOver() {
  if (left_over_.empty()) return std::nullopt;
  std::string name = std::move(left_over_.back());
  left_over_.pop_back();
  return name;
}

bool PreparedStatements::OnVanished(std::uint64_t id, Time sent, Time now) {
  // What was sent before the others were found missing, or whose PREPARE failed, tells nothing new.
  if (!statements_.contains(id) || (vanished_at_.has_value() && sent <= *vanished_at_))
    return false;
  const bool again = vanished_at_.has_value() && now - *vanished_at_ < kSoon;
  vanished_at_ = now;
  statements_.clear();
  ages_.clear();
  left_over_.clear();
  ++round_;
  return again;
}

}  // namespace proxymux::pgsql
