// The sender of statements in a world of the test's making: one scripted connection that is ready,
// and works that are owned as a pool does.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "pgsql/connection/statement_sender.h"
#include "tests/fakes/scripted_upstream.h"
#include "tests/pgsql/work/tables.h"

namespace proxymux::pgsql {

class SenderWorld : public testing::Test, private SenderOwner, private UpstreamObserver {
 protected:
  using Kind = Work::Kind;
  using Phase = PoolConnection::Phase;
  static constexpr char kQuery[] = "SELECT v FROM t WHERE k = '%s'";

  SenderWorld() { Open(); }
  ~SenderWorld() override { TakeBack(); }

  void Open() {
    TakeBack();
    auto made = factory.NewConnection(0, this);
    upstream = static_cast<fakes::ScriptedUpstream*>(made.get());
    connection = std::make_unique<PoolConnection>(1, 0, now, std::move(made));
    upstream->Connect();
    upstream->Accept();
    connection->SetPhase(Phase::kShared);
  }

  static std::shared_ptr<TableBinding> Table(config::StatementMode mode,
                                             const std::string& query = kQuery,
                                             WriteClass write_class = WriteClass::kReads) {
    return BoundTable(query, write_class, mode);
  }
  Work* Lookup(const std::shared_ptr<TableBinding>& table, const std::string& key = "k") {
    Work* work = NewWork(Kind::kLookup, table);
    work->key = key;
    work->needs.script = table->IsScript();
    work->wire.protocol = work->needs.script ? Protocol::kSimple : Protocol::kExtended;
    return work;
  }
  Expansion Expand(Work* work) {
    work->sent = now;
    return sender.Expand(*connection, host, work, now);
  }
  bool Send(Work* work) {
    EXPECT_EQ(Expand(work), Expansion::kDone);
    return sender.SendLookup(*connection, work);
  }
  bool EndBatch() { return sender.EndBatch(*connection); }
  StatementForm FormOf(Work* work) {
    EXPECT_EQ(Expand(work), Expansion::kDone);
    return work->form;
  }
  void AnswerAll() {
    EXPECT_TRUE(EndBatch());
    upstream->AnswerEverything("v");
    TakeBack();
  }

  Time now{std::chrono::hours(1)};
  PoolHost host{HostKind::kTcp, "a", std::chrono::seconds(60)};
  fakes::ScriptedFactory factory{1};
  fakes::ScriptedUpstream* upstream = nullptr;
  std::deque<Work> works;
  std::vector<Work*> counted;   // in the order of sending
  std::vector<Work*> recycled;  // that were not sent
  std::unique_ptr<PoolConnection> connection;
  StatementSender sender{this};

 private:
  void TakeBack() {
    while (connection != nullptr && !connection->idle()) connection->OnBack(connection->running());
  }

  Work* NewWork(Kind kind, std::shared_ptr<TableBinding> binding) override {
    Work& work = works.emplace_back();
    work.kind = kind;
    work.needs.may_write = binding->write_class != WriteClass::kReads;
    work.binding = std::move(binding);
    return &work;
  }
  void Recycle(Work* work) override { recycled.push_back(work); }
  void CountSent(PoolConnection& to, Work* work) override {
    EXPECT_EQ(&to, connection.get());
    counted.push_back(work);
    to.OnSent(work, 1);
  }

  void OnReady(UpstreamConnection*) override {}
  void OnConnectFailed(UpstreamConnection*, const ConnectionFault&) override {}
  void OnResult(UpstreamConnection*, Work*, const StatementResult&) override {}
  void OnNoPooler(UpstreamConnection*) override {}
  void OnOutdated(UpstreamConnection*) override {}
  void OnAllAnswered(UpstreamConnection*) override {}
  void OnLost(UpstreamConnection*, const ConnectionFault&) override {}
};

}  // namespace proxymux::pgsql
