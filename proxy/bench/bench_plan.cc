#include "proxy/bench/bench_plan.h"

#include <algorithm>
#include <utility>

#include "protocol/request.h"
#include "protocol/request_encoder.h"

namespace proxymux::proxy {
namespace {

// Behind the key: the value's NUL and the list's.
constexpr std::string_view kEnd("\0\0", 2);

std::string RequestUpToKey(const BenchOptions& options, const std::string& table) {
  std::string bytes;
  protocol::AppendRequest(
      {options.wire.dialect, 0,
       protocol::LookupRequest{table, options.wire.instance_flags, options.wire.flags, ""}},
      &bytes);
  bytes.resize(bytes.size() - kEnd.size());
  return bytes;
}

}  // namespace

BenchPlan::BenchPlan(const BenchOptions& options, std::vector<BenchKeys> keys)
    : weighted_(options.weighted), random_(options.seed) {
  double sum = 0, to_here = 0;
  for (const auto& table : options.tables) sum += table.weight;
  for (std::size_t i = 0; i < options.tables.size(); ++i) {
    const std::string& name = options.tables[i].name;
    to_here += options.tables[i].weight / sum;
    const std::uint64_t size = keys[i].size();
    std::string request = RequestUpToKey(options, name);
    const std::size_t fixed_size = request.size();
    tables_.push_back({name, std::move(keys[i]), BenchMix(options.mix, size, options.seed + i + 1),
                       to_here, std::move(request), fixed_size});
  }
}

BenchLookup BenchPlan::Next() {
  std::uint32_t table = turn_;
  if (weighted_) {
    const double at = static_cast<double>(random_() >> 11) * 0x1p-53;
    table = 0;
    while (table + 1 < tables_.size() && at >= tables_[table].weights_to_here) ++table;
  } else {
    turn_ = turn_ + 1 == tables_.size() ? 0 : turn_ + 1;
  }
  const BenchMix::Choice choice = tables_[table].mix.Next();
  return {choice.index, table, choice.missing};
}

std::string_view BenchPlan::Request(const BenchLookup& lookup) {
  Table& table = tables_[lookup.table];
  table.request.resize(table.fixed_size);
  table.keys.AppendKey(lookup.index, lookup.missing, &table.request);
  table.request.append(kEnd);
  return table.request;
}

bool BenchPlan::IsWrong(const BenchLookup& lookup, const protocol::Reply& reply) {
  const bool found = reply.status == protocol::Status::kOk;
  if (!found && reply.status != protocol::Status::kNoKey) return false;
  BenchKeys& keys = tables_[lookup.table].keys;
  if (!keys.HasValue(lookup.index)) return false;
  if (lookup.missing) return found;
  return !found || reply.value != keys.Value(lookup.index);
}

std::string BenchPlan::Describe(const BenchLookup& lookup, const protocol::Reply& reply) {
  Table& table = tables_[lookup.table];
  std::string text = table.name + ", ";
  table.keys.AppendKey(lookup.index, lookup.missing, &text);
  text += ": got ";
  text += reply.status == protocol::Status::kOk ? "\"" + std::string(reply.value) + "\""
                                                : std::string(protocol::StatusName(reply.status));
  if (lookup.missing) return text + ", not NOKEY";
  if (!table.keys.HasValue(lookup.index)) return text;
  return text + ", not \"" + std::string(table.keys.Value(lookup.index)) + "\"";
}

bool BenchPlan::verifies() const {
  return std::any_of(tables_.begin(), tables_.end(),
                     [](const Table& table) { return table.keys.verifiable(); });
}

}  // namespace proxymux::proxy
