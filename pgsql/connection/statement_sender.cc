#include "pgsql/connection/statement_sender.h"

#include <algorithm>

#include "pgsql/sql/key_parts.h"
#include "pgsql/table/compiled_table.h"

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

void StatementSender::OpenBatch(PoolConnection& connection, Work* work) {
  if (!connection.upstream->BatchOpen()) connection.batch.number = ++last_batch_;
  connection.batch.writes =
      work->needs.may_write || (connection.upstream->BatchOpen() && connection.batch.writes);
  work->batch = connection.batch.number;
}

StatementForm StatementSender::FormFor(PoolConnection& connection, const PoolHost& host,
                                       const Work& work, Time now) const {
  const StatementForm form = work.binding->plan.form(now);
  // With standard_conforming_strings off the statement with parameters may mean something else.
  if (form == StatementForm::kText || work.needs.as_text ||
      work.wire.protocol == Protocol::kSimple ||
      connection.upstream->escaper().DoublesBackslashes()) {
    return StatementForm::kText;
  }
  if (form == StatementForm::kPrepared) {
    // A pooler may keep a statement for longer than we do, by its text, or lose it.
    if (connection.upstream->Pooled()) return StatementForm::kParameterized;
    if (now < host.text_until) return StatementForm::kText;
    if (connection.prepared.full() && !connection.prepared.Has(work.binding->plan.id(), now)) {
      connection.Drain();  // replaced when it is empty
      return StatementForm::kText;
    }
  }
  return form;
}

Expansion StatementSender::Expand(PoolConnection& connection, const PoolHost& host, Work* asked,
                                  Time now) {
  asked->form = FormFor(connection, host, *asked, now);
  const Work& work = *asked;
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

bool StatementSender::SendLookup(PoolConnection& connection, Work* work) {
  if (work->wire.protocol == Protocol::kSimple) {
    work->batch = ++last_batch_;
    if (!connection.upstream->SendScript(work, sql_)) return false;
    owner_->CountSent(connection, work);
    return true;
  }
  if (!work->needs.alone && !work->in_lane) return SendStatement(connection, work);
  // An error would undo what it wrote if it shared a transaction; and results are sent when a
  // transaction ends, so that alone it is measured by itself.
  return EndBatch(connection) && SendStatement(connection, work) && EndBatch(connection);
}

bool StatementSender::SendStatement(PoolConnection& connection, Work* work) {
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
  if (sent) owner_->CountSent(connection, work);
  return sent;
}

bool StatementSender::Prepare(PoolConnection& connection, const Work& lookup) {
  // First in its batch: no neighbour can keep it from being run.
  if (!EndBatch(connection)) return false;
  const StatementPlan& plan = lookup.binding->plan;
  connection.prepared.Add(plan.id(), plan.name(), lookup.sent);
  if (!DeallocateSome(connection, lookup)) return false;
  Work* work = owner_->NewWork(Work::Kind::kPrepare, lookup.binding);
  work->statement = plan.id();
  work->in_lane = lookup.in_lane;
  work->sent = lookup.sent;
  OpenBatch(connection, work);
  ++prepares_;
  if (!connection.upstream->SendPrepare(work, connection.prepared.NameOf(plan.id()), plan.sql(),
                                        plan.types())) {
    owner_->Recycle(work);
    return false;
  }
  owner_->CountSent(connection, work);
  return true;
}

// Each in a batch of its own: when one is refused, nothing else is.
bool StatementSender::DeallocateSome(PoolConnection& connection, const Work& lookup) {
  for (int i = 0; i < kDeallocatedAtOnce; ++i) {
    const auto name = connection.prepared.TakeLeftOver();
    if (!name.has_value()) return true;
    Work* work = owner_->NewWork(Work::Kind::kDeallocate, lookup.binding);
    work->needs.may_write = false;
    work->in_lane = lookup.in_lane;
    work->sent = lookup.sent;
    OpenBatch(connection, work);
    if (!connection.upstream->SendStatement(work, "DEALLOCATE \"" + *name + '"', {}, {})) {
      owner_->Recycle(work);
      return false;
    }
    owner_->CountSent(connection, work);
    if (!EndBatch(connection)) return false;
  }
  return true;
}

bool StatementSender::SendQuestion(PoolConnection& connection, Work* work, const std::string& sql,
                                   std::span<const char* const> values) {
  if (!EndBatch(connection)) return false;
  OpenBatch(connection, work);
  if (!connection.upstream->SendQuestion(work, sql, values)) return false;
  owner_->CountSent(connection, work);
  return EndBatch(connection);
}

bool StatementSender::EndBatch(PoolConnection& connection) {
  if (!connection.upstream->BatchOpen()) return true;
  ++syncs_;
  return connection.batch.writes ? connection.upstream->Commit() : connection.upstream->Sync();
}

}  // namespace proxymux::pgsql
