#include "pgsql/pool/work_sender.h"

#include "pgsql/host/replica_state.h"
#include "pgsql/table/statement_effects.h"

namespace proxymux::pgsql {

void WorkSender::Send(PoolConnection& connection, Work* work) {
  work->sent = pool_->Now();  // before libpq, which sends at once when its buffer is full
  work->asked = pool_->loop->RealNow();
  switch (work->kind) {
    case Work::Kind::kPrepare:
    case Work::Kind::kDeallocate:
      return;  // StatementSender sends them itself
    case Work::Kind::kClassify:
    case Work::Kind::kStamp:
      // One that is to prove a new connection may be lost with it, and is in nobody's place.
      if (!connections_->View().Unproven(connection)) {
        pool_->hosts[connection.host].catalogue.OnAsked(work->sent);
      }
      Check(SendQuestion(connection, work), connection);
      return;
    case Work::Kind::kLag: {
      ReplicaLag& lag = pool_->hosts[connection.host].lag;
      lag.OnAsked(work->sent);
      const bool sent = SendQuestion(connection, work);
      if (!sent) lag.OnBack();
      Check(sent, connection);
      return;
    }
    case Work::Kind::kLookup:
      SendLookup(connection, work);
      return;
  }
}

bool WorkSender::SendQuestion(PoolConnection& connection, Work* work) {
  if (work->kind != Work::Kind::kClassify) {
    const bool stamp = work->kind == Work::Kind::kStamp;
    if (sender_.SendQuestion(connection, work, stamp ? StampSql() : ReplicaStateSql(), {})) {
      return true;
    }
    if (WorkList::ListOf(work) == nullptr) work_->Recycle(work);  // the connection has not got it
    return false;
  }
  const auto names = EffectsQuestion(work->binding->table->statement_class());
  const char* const values[] = {names[0].c_str(), names[1].c_str(), names[2].c_str()};
  return sender_.SendQuestion(connection, work, EffectsSql(), values);
}

// Nothing is under way on the connection, and nothing waits that could go along.
bool WorkSender::GoesAlone(const PoolConnection& connection, const Work& work) const {
  const TableBinding& binding = *work.binding;
  return binding.plan.is_automatic() && binding.write_class == WriteClass::kReads &&
         !work.in_lane && connection.upstream->AllAnswered() && work_->queues().size() == 1 &&
         pool_->hosts[connection.host].health.state() == HostHealth::State::kUp &&
         pool_->rules.UseOf(connections_->View(), work, connection.host) == SessionUse::kShared;
}

void WorkSender::ChooseProtocol(const PoolConnection& connection, Work* work) {
  if (work->needs.script) return;
  work->wire.alone = GoesAlone(connection, *work);
  work->wire.protocol = work->wire.alone ? pool_->hosts[connection.host].lone_form.Choose(
                                               work->binding.get(), work->sent)
                                         : Protocol::kExtended;
}

void WorkSender::SendLookup(PoolConnection& connection, Work* work) {
  ChooseProtocol(connection, work);
  const Expansion expansion =
      sender_.Expand(connection, pool_->hosts[connection.host], work, work->sent);
  if (expansion != Expansion::kDone) {
    work_->AnswerLookup(work, {Outcome::kRetry, {}, ExpansionText(expansion)});
    work_->Recycle(work);
    return;
  }
  pool_->rules.Take(connections_->View(), &connection, work);
  if (!pool_->rules.Known(*work->binding) && work->binding->write_class != WriteClass::kAsking) {
    work_->AskAbout(work->binding);
  }
  Check(sender_.SendLookup(connection, work), connection);
}

void WorkSender::EndBatches() {
  for (const auto& connection : connections_->all()) {
    if (connection->open()) Check(sender_.EndBatch(*connection), *connection);
  }
}

void WorkSender::Check(bool sent, PoolConnection& connection) {
  if (!sent) {
    connections_->Drop(connection, "the connection does not take statements any more");
  }
}

}  // namespace proxymux::pgsql
