#include <algorithm>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that puts statements on a connection: in which form, with what values,
// and where a batch ends.

namespace proxymux::pgsql {
namespace {

// Left over statements that are deallocated when another one is prepared: more than one, so that
// they become fewer.
constexpr int kDeallocatedAtOnce = 2;

// libpq wants values that end in NUL.
constexpr char kEnd = '\0';

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

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

void ConnectionPool::OpenBatch(PoolConnection& connection, Work* work) {
  if (!connection.upstream->BatchOpen()) connection.batch.number = ++last_batch_;
  connection.batch.writes =
      work->may_write || (connection.upstream->BatchOpen() && connection.batch.writes);
  work->batch = connection.batch.number;
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
      sent = SendQuestion(connection, work, EffectsSql(), values);
      break;
    }
    case Work::Kind::kLookup: {
      work->form = FormFor(connection, *work);
      const Expansion expansion = Expand(connection, *work);
      if (expansion != Expansion::kDone) {
        AnswerWork(work, {Outcome::kRetry, {}, ExpansionText(expansion)});
        Recycle(work);
        return;
      }
      rules_.Take(View(), &connection, work);
      if (!rules_.Known(*work->binding) && work->binding->write_class != WriteClass::kAsking) {
        Classify(work->binding);
      }
      sent = SendLookup(connection, work);
      break;
    }
  }
  if (!sent) DropConnection(connection, "the connection does not take statements any more");
}

StatementForm ConnectionPool::FormFor(PoolConnection& connection, const Work& work) const {
  const StatementForm form = work.binding->plan.form(loop_->Now());
  // With standard_conforming_strings off the statement with parameters may mean something else.
  if (form == StatementForm::kText || work.as_text || work.script ||
      connection.upstream->escaper().DoublesBackslashes()) {
    return StatementForm::kText;
  }
  if (form == StatementForm::kPrepared) {
    // A pooler may keep a statement for longer than we do, by its text, or lose it.
    if (connection.upstream->Pooled()) return StatementForm::kParameterized;
    if (loop_->Now() < hosts_[connection.host].text_until) return StatementForm::kText;
    if (connection.prepared.full() &&
        !connection.prepared.Has(work.binding->plan.id(), loop_->Now())) {
      connection.Drain();  // replaced when it is empty
      return StatementForm::kText;
    }
  }
  return form;
}

// The text or the values of a lookup.
Expansion ConnectionPool::Expand(PoolConnection& connection, const Work& work) {
  const QueryTemplate& query = work.binding->table->query();
  const KeyParts key(work.key);
  LiteralEscaper& escaper = connection.upstream->escaper();
  if (work.form == StatementForm::kText) {
    sql_.clear();
    return query.AppendText(key, escaper, &sql_);
  }
  parameters_.clear();
  parameter_starts_.clear();
  const BindPlan& bind = query.bind(work.binding->plan.bound());
  for (std::size_t i = 0; i < bind.parameter_count(); ++i) {
    parameter_starts_.push_back(parameters_.size());
    bind.AppendParameter(i, key, &parameters_);
    parameters_ += kEnd;
  }
  // What text could not hold is refused in either form.
  if (!IsAscii(parameters_)) {
    for (const std::size_t start : parameter_starts_) {
      scratch_.clear();
      if (!escaper.Escape(parameters_.c_str() + start, &scratch_)) return Expansion::kNotEscapable;
    }
  }
  parameter_values_.clear();
  for (const std::size_t start : parameter_starts_) {
    parameter_values_.push_back(parameters_.data() + start);
  }
  return Expansion::kDone;
}

bool ConnectionPool::SendLookup(PoolConnection& connection, Work* work) {
  if (work->script) {
    work->batch = ++last_batch_;
    if (!connection.upstream->SendScript(work, sql_)) return false;
    CountSent(connection, work);
    return true;
  }
  if (!work->alone && !work->in_lane) return SendStatement(connection, work);
  // An error would undo what it wrote if it shared a transaction; and results are sent when a
  // transaction ends, so that alone it is measured by itself.
  return EndBatch(connection) && SendStatement(connection, work) && EndBatch(connection);
}

bool ConnectionPool::SendStatement(PoolConnection& connection, Work* work) {
  const StatementPlan& plan = work->binding->plan;
  work->statement = plan.id();
  if (work->form == StatementForm::kPrepared && !connection.prepared.Has(plan.id(), work->sent) &&
      !Prepare(connection, *work)) {
    return false;
  }
  OpenBatch(connection, work);
  UpstreamConnection& upstream = *connection.upstream;
  bool sent = false;
  switch (work->form) {
    case StatementForm::kText:
      sent = upstream.SendStatement(work, sql_, {}, {});
      break;
    case StatementForm::kParameterized:
      sent = upstream.SendStatement(work, plan.sql(), plan.types(), parameter_values_);
      break;
    case StatementForm::kPrepared:
      sent = upstream.SendPrepared(work, connection.prepared.NameOf(plan.id()), parameter_values_);
      break;
  }
  if (sent) CountSent(connection, work);
  return sent;
}

bool ConnectionPool::Prepare(PoolConnection& connection, const Work& lookup) {
  // First in its batch: no neighbour can keep it from being run.
  if (!EndBatch(connection)) return false;
  const StatementPlan& plan = lookup.binding->plan;
  connection.prepared.Add(plan.id(), plan.name(), lookup.sent);
  if (!DeallocateSome(connection, lookup)) return false;
  Work* work = NewWork(Work::Kind::kPrepare, lookup.binding);
  work->statement = plan.id();
  work->in_lane = lookup.in_lane;
  work->sent = lookup.sent;
  OpenBatch(connection, work);
  ++counters_.prepares;
  if (!connection.upstream->SendPrepare(work, connection.prepared.NameOf(plan.id()), plan.sql(),
                                        plan.types())) {
    Recycle(work);
    return false;
  }
  CountSent(connection, work);
  return true;
}

// Each in a batch of its own: when one is refused, nothing else is.
bool ConnectionPool::DeallocateSome(PoolConnection& connection, const Work& lookup) {
  for (int i = 0; i < kDeallocatedAtOnce; ++i) {
    const auto name = connection.prepared.TakeLeftOver();
    if (!name.has_value()) return true;
    Work* work = NewWork(Work::Kind::kDeallocate, lookup.binding);
    work->may_write = false;
    work->in_lane = lookup.in_lane;
    work->sent = lookup.sent;
    OpenBatch(connection, work);
    if (!connection.upstream->SendStatement(work, "DEALLOCATE \"" + *name + '"', {}, {})) {
      Recycle(work);
      return false;
    }
    CountSent(connection, work);
    if (!EndBatch(connection)) return false;
  }
  return true;
}

bool ConnectionPool::EndBatch(PoolConnection& connection) {
  if (!connection.upstream->BatchOpen()) return true;
  ++counters_.syncs;
  return connection.batch.writes ? connection.upstream->Commit() : connection.upstream->Sync();
}

void ConnectionPool::SyncAll() {
  for (const auto& connection : connections_) {
    if (connection->open() && !EndBatch(*connection)) {
      DropConnection(*connection, "the connection does not take statements any more");
    }
  }
}

}  // namespace proxymux::pgsql
