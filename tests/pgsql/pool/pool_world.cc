#include "tests/pgsql/pool/pool_world.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/pgsql/work/tables.h"

namespace proxymux::pgsql {

void WaitingClient::OnAnswer(const Answer& answer) {
  ++answers;
  EXPECT_EQ(answers, 1) << "answered again: " << answer.reason;
  outcome = answer.outcome;
  value = answer.value;
  reason = answer.reason;
  ticket = nullptr;
  if (and_then) and_then();
}

PoolWorld::PoolWorld(const Options& options)
    : factory(options.hosts.size()),
      reads(Table("SELECT v FROM t WHERE k = '%s'", WriteClass::kReads)),
      writes(Table("DELETE FROM t WHERE k = '%s' RETURNING v", WriteClass::kMayWrite)),
      script(Table("SELECT 1; SELECT v FROM t WHERE k = '%s'", WriteClass::kMayWrite)) {
  PoolConfig config;
  config.name = "reader@mirrors/mail";
  for (std::size_t i = 0; i < options.hosts.size(); ++i) {
    config.hosts.emplace_back(options.hosts[i], std::string(1, static_cast<char>('a' + i)),
                              options.retry_interval);
  }
  config.settings = options.settings;
  config.idle_interval = options.idle_interval;
  config.shows_lag = options.shows_lag;
  config.wants_primary = options.wants_primary;
  pool =
      std::make_unique<ConnectionPool>(std::move(config), &factory, &loop, &observer, options.seed);
}

PoolWorld::~PoolWorld() {
  for (const ClientPointer& client : clients_) {
    EXPECT_EQ(client->answers, client->abandoned ? 0 : 1);
  }
}

PoolWorld::Options PoolWorld::Hosts(std::size_t count) {
  Options options;
  options.hosts.assign(count, HostKind::kTcp);
  return options;
}

PoolWorld::Options PoolWorld::Connections(int count) {
  Options options;
  options.settings.connections = count;
  return options;
}

std::shared_ptr<TableBinding> PoolWorld::Table(const std::string& query, WriteClass write_class,
                                               config::StatementMode mode) {
  return BoundTable(query, write_class, mode);
}

ClientPointer PoolWorld::Look(const std::string& key, const std::shared_ptr<TableBinding>& table) {
  auto client = std::make_shared<WaitingClient>();
  client->ticket = pool->Submit(table, key, client.get());
  EXPECT_EQ(client->answers, 0) << "answered from inside Submit";
  clients_.push_back(client);
  return client;
}

void PoolWorld::Abandon(const ClientPointer& client) {
  pool->Abandon(client->ticket);
  client->ticket = nullptr;
  client->abandoned = true;
}

void PoolWorld::Turn() {
  loop.EndTurn();
  while (factory.Settle() > 0) loop.EndTurn();
}

void PoolWorld::Pass(Duration time) {
  Turn();
  loop.Advance(time);
  Turn();
}

void PoolWorld::Answered(int count) {
  std::vector<ClientPointer> clients;
  for (int i = 0; i < count; ++i) clients.push_back(Look("k"));
  for (int i = 0; i < 5; ++i) {
    Turn();
    for (fakes::ScriptedUpstream* upstream : Open()) upstream->AnswerEverything("v");
  }
  for (const ClientPointer& client : clients) EXPECT_EQ(client->value, "v");
}

void PoolWorld::OpenAll() {
  const std::size_t wanted = static_cast<std::size_t>(pool->settings().connections);
  std::vector<ClientPointer> clients;
  for (std::size_t i = 0; i < wanted; ++i) clients.push_back(Look("warm-up"));
  Turn();
  for (fakes::ScriptedUpstream* upstream : Open()) upstream->AnswerEverything("warm");
  Turn();
  for (const ClientPointer& client : clients) EXPECT_EQ(client->answers, 1);
  EXPECT_EQ(Open().size(), wanted);
  EXPECT_TRUE(pool->Idle());
}

fakes::ScriptedUpstream& PoolWorld::Connection(std::size_t index) {
  const auto open = Open();
  EXPECT_LT(index, open.size());
  if (index >= open.size()) std::abort();
  return *open[index];
}

fakes::ScriptedUpstream* PoolWorld::Busy() const {
  for (fakes::ScriptedUpstream* upstream : Open()) {
    if (upstream->unanswered() > 0) return upstream;
  }
  return nullptr;
}

}  // namespace proxymux::pgsql
