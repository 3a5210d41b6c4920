#include "tests/pgsql/pool/storm_world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pgsql/pool/catalogue_answers.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;

constexpr Duration kSlow = milliseconds(400);

PoolWorld::Options MakeOptions(std::uint32_t seed, std::minstd_rand* random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(*random);
  };
  PoolWorld::Options options;
  options.hosts.clear();
  for (int i = pick(1, 3); i > 0; --i) {
    options.hosts.push_back(static_cast<HostKind>(pick(0, 2)));
  }
  options.settings.connections = pick(1, 6);
  options.settings.pipeline_depth = pick(1, 8);
  options.settings.queue_limit = pick(5, 60);
  options.settings.queue_wait = milliseconds(pick(100, 1500));
  // Servers take 20 ms when all is well.
  options.settings.stall_limit = milliseconds(pick(0, 3) == 0 ? 0 : pick(45, 250));
  options.settings.outage_wait = milliseconds(pick(0, 2) == 0 ? 0 : pick(20, 4000));
  options.settings.max_replica_lag = milliseconds(pick(0, 1) == 0 ? 0 : pick(50, 3000));
  options.settings.when_all_lag =
      pick(0, 1) == 0 ? config::WhenAllLag::kUse : config::WhenAllLag::kRetry;
  options.shows_lag = pick(0, 1) == 0;
  options.settings.hosts_policy =
      pick(0, 2) == 0 ? config::HostsPolicy::kSticky : config::HostsPolicy::kSpread;
  options.idle_interval = std::chrono::seconds(pick(1, 3));
  options.retry_interval = std::chrono::seconds(pick(1, 5));
  options.seed = seed;
  return options;
}

}  // namespace

StormWorld::StormWorld(std::uint32_t seed) : random_(seed), world_(MakeOptions(seed, &random_)) {
  for (const auto& table : {world_.reads, world_.writes, world_.script}) tables_.push_back(table);
  tables_.push_back(PoolWorld::Table("SELECT f('%s')", WriteClass::kUnknown));
  for (const auto mode : {config::StatementMode::kAuto, config::StatementMode::kPrepared,
                          config::StatementMode::kParameterized}) {
    AddWithParameters("SELECT v FROM t WHERE k = '%s'", mode);
    // The same statement in a lane: two tables share what is prepared.
    AddWithParameters("SELECT v FROM t WHERE k = '%s'", mode)->service_time.Record(kSlow);
    // The server may not know the type of its second parameter.
    AddWithParameters("SELECT v FROM t WHERE k = '%s' AND '%u' IS NOT NULL", mode);
  }
  tables_.push_back(PoolWorld::Table("SELECT g('%s') FROM t", WriteClass::kMayWrite,
                                     config::StatementMode::kPrepared));
  tables_.push_back(PoolWorld::Table("SELECT w FROM t WHERE k = '%s'", WriteClass::kReads));
  tables_.back()->service_time.Record(kSlow);
  for (const std::string column : {"x", "f('y')"}) {
    AddHedged("SELECT " + column + " FROM t WHERE k = '%s'", WriteClass::kReads);
  }
  AddHedged("SELECT f(z) FROM t WHERE k = '%s'", WriteClass::kUnknown);
  for (const auto& table : tables_) {
    table->settings.query_timeout = milliseconds(300);
    table->settings.lookup_timeout = milliseconds(2000);
  }
}

void StormWorld::MeasureSimpleIsBetter() {
  const auto table =
      std::ranges::find_if(tables_, [](const auto& one) { return one->plan.is_automatic(); });
  const auto settled = [&] {
    for (std::size_t i = 0; i < world_.pool->hosts().size(); ++i) {
      if (world_.pool->hosts()[i].lone_form.better() == Protocol::kSimple) return true;
    }
    return false;
  };
  for (int i = 0; i < 2000 && !settled(); ++i) {
    const ClientPointer client = world_.Look("measured", *table);
    world_.Turn();
    const auto* busy = world_.Busy();
    const bool simple = busy != nullptr && busy->history().back() == 'X';
    world_.loop.Advance(milliseconds(simple ? 1 : 2));
    AnswerCalmly();
    world_.Turn();
  }
  EXPECT_TRUE(settled());
}

const std::shared_ptr<TableBinding>& StormWorld::AddWithParameters(const std::string& query,
                                                                   config::StatementMode mode) {
  tables_.push_back(PoolWorld::Table(query, WriteClass::kReads, mode));
  EXPECT_NE(tables_.back()->plan.form(Time()), StatementForm::kText) << query;
  return tables_.back();
}

void StormWorld::AddHedged(const std::string& query, WriteClass write_class) {
  tables_.push_back(PoolWorld::Table(query, write_class));
  tables_.back()->settings.hedge_percent = 50;
  UsualWait& usual = tables_.back()->usual_wait;
  usual = UsualWait(50);
  for (std::uint64_t i = 0; i < UsualWait::kWindow; ++i) usual.Record(milliseconds(2));
  EXPECT_TRUE(usual.LongerThanUsual(milliseconds(3)));
}

std::string StormWorld::AnswerTo(const fakes::ScriptedUpstream::Sent& sent) {
  if (AsksLag(sent.sql)) return Lag();
  if (!AsksCatalogue(sent.sql) || Pick(0, 19) == 0) return "v";
  if (Pick(0, 9) == 0) ++stamp_;
  const std::string stamp = "000000000000000" + std::to_string(stamp_ % 10);
  if (sent.parameters.empty()) return stamp;
  const char* const said[] = {"reads shared ", "writes shared ", "reads transaction ",
                              "writes session "};
  return said[Pick(0, 3)] + stamp + " function f()";
}

std::string StormWorld::Lag() {
  const std::string position = std::to_string(Pick(1, 100));
  switch (Pick(0, 4)) {
    case 0:
      return "7 primary " + position + (Pick(0, 9) == 0 ? " 00000002" : " 00000001");
    case 1:
      return "7 standby " + position + " 90 apart " + std::to_string(Pick(0, 5000000));
    case 2:
      return "unknown";
    default:
      return "7 standby " + position + " " + position + " receiving 1000";
  }
}

void StormWorld::AnswerCalmly() {
  const std::string stamp = "0000000000000001";
  for (auto* upstream : world_.Open()) {
    while (upstream->state() == fakes::ScriptedUpstream::State::kReady &&
           upstream->answerable() > 0) {
      const auto& asked = *upstream->oldest();
      if (AsksLag(asked.sql)) {
        upstream->Answer("7 primary 100 00000003");
        continue;
      }
      const bool question = AsksCatalogue(asked.sql);
      upstream->Answer(!question                  ? "v"
                       : asked.parameters.empty() ? stamp
                                                  : "reads shared " + stamp);
    }
  }
}

}  // namespace proxymux::pgsql
