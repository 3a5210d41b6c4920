#include "pgsql/policy/service_meter.h"

#include <algorithm>

#include "pgsql/table/service_time.h"
#include "pgsql/work/table_binding.h"

namespace proxymux::pgsql {
namespace {

bool IsLookup(const Work& work) { return work.kind == Work::Kind::kLookup; }

// What the batch of `first`, its first result, took.
ServiceMeter::Learned MeasureBatch(const PoolConnection& connection, const Work& first,
                                   Duration taken) {
  int statements = 1;
  bool mixed = !IsLookup(first);
  for (const Work* work = connection.in_flight().front(); work != nullptr;
       work = WorkList::Next(work)) {
    if (work->batch != first.batch) continue;
    ++statements;
    mixed = mixed || work->binding != first.binding;
  }
  if (!mixed) {
    first.binding->service_time.Record(taken / statements);
    return ServiceMeter::Learned::kOfOne;
  }
  if (IsLookup(first)) first.binding->service_time.Suspect();
  for (const Work* work = connection.in_flight().front(); work != nullptr;
       work = WorkList::Next(work)) {
    if (work->batch == first.batch && IsLookup(*work)) work->binding->service_time.Suspect();
  }
  return ServiceMeter::Learned::kOfBatch;
}

}  // namespace

ServiceMeter::Learned ServiceMeter::Measure(PoolConnection* connection, const Work& work,
                                            Time now) {
  if (work.batch == connection->batch.measured) return Learned::kNothing;
  const Duration taken = now - std::max(work.sent, connection->last_result);
  if (taken >= ServiceTime::kSuspicious) {
    connection->batch.measured = work.batch;
    return MeasureBatch(*connection, work, taken);
  }
  if (!IsLookup(work)) return Learned::kNothing;
  work.binding->service_time.Record(taken);
  return Learned::kOfOne;
}

}  // namespace proxymux::pgsql
