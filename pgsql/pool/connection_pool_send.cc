#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that sends what was chosen, and counts it.

namespace proxymux::pgsql {

// As soon as the connection has it: whatever fails behind that brings it back.
void ConnectionPool::CountSent(PoolConnection& connection, Work* work) {
  if (work->kind == Work::Kind::kLookup || work->kind == Work::Kind::kClassify) {
    work->attempts.Count(connection.host);
    if (work->first != nullptr) work->first->attempts.Count(connection.host);
    ++counters_.statements;
    ++hosts_[connection.host].statements;
  }
  if (work->binding->settings.hedge_percent > 0) ++hedgeable_;
  queues_.Remove(work);
  connection.OnSent(work, dispatches_);
  if (!work->in_lane) return;
  ++work->binding->in_lanes;
  Reline(work->binding.get());
}

void ConnectionPool::CountBack(PoolConnection& connection, Work* work) {
  if (work->binding->settings.hedge_percent > 0) --hedgeable_;
  if (work->in_lane) {
    --work->binding->in_lanes;
    Reline(work->binding.get());
  }
  connection.OnBack(work);
}

void ConnectionPool::SendWork(PoolConnection& connection, Work* work) {
  bool sent = false;
  work->sent = loop_->Now();  // before libpq, which sends at once when its buffer is full
  work->asked = loop_->RealNow();
  switch (work->kind) {
    case Work::Kind::kPrepare:
    case Work::Kind::kStamp:
    case Work::Kind::kDeallocate:
      return;  // never wait in the queue
    case Work::Kind::kClassify: {
      const auto names = EffectsQuestion(work->binding->table->statement_class());
      const char* const values[] = {names[0].c_str(), names[1].c_str(), names[2].c_str()};
      hosts_[connection.host].catalogue.OnAsked(work->sent);
      sent = sender_.SendQuestion(connection, work, EffectsSql(), values);
      break;
    }
    case Work::Kind::kLookup: {
      const Expansion expansion =
          sender_.Expand(connection, hosts_[connection.host], work, loop_->Now());
      if (expansion != Expansion::kDone) {
        AnswerWork(work, {Outcome::kRetry, {}, ExpansionText(expansion)});
        Recycle(work);
        return;
      }
      rules_.Take(View(), &connection, work);
      if (!rules_.Known(*work->binding) && work->binding->write_class != WriteClass::kAsking) {
        Classify(work->binding);
      }
      sent = sender_.SendLookup(connection, work);
      break;
    }
  }
  if (!sent) DropConnection(connection, "the connection does not take statements any more");
}

void ConnectionPool::SyncAll() {
  for (const auto& connection : connections_) {
    if (connection->open() && !sender_.EndBatch(*connection)) {
      DropConnection(*connection, "the connection does not take statements any more");
    }
  }
}

}  // namespace proxymux::pgsql
