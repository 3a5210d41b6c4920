#include "proxy/lookup/lookup_probe.h"

#include <algorithm>
#include <random>
#include <utility>

#include "pgsql/sql/key_parts.h"
#include "pgsql/table/result_format.h"

namespace proxymux::proxy {
namespace {

using pgsql::KeyParts;

// The statement as the connection was given it: only a connection can escape.
void FillStatement(const pgsql::QueryTemplate& query, const pgsql::Work& work,
                   pgsql::LiteralEscaper& escaper, ShownStatement* shown) {
  const KeyParts key(work.key);
  if (work.form == pgsql::StatementForm::kText) {
    query.AppendText(key, escaper, &shown->sql);
    return;
  }
  const pgsql::BindPlan& bind = query.bind(work.binding->plan.bound());
  shown->sql = bind.query();
  for (std::size_t i = 0; i < bind.parameter_count(); ++i) {
    bind.AppendParameter(i, key, &shown->parameters.emplace_back());
  }
}

void FillRows(const pgsql::CompiledTable& table, const pgsql::Work& work,
              const pgsql::RowSource& rows, ShownStatement* shown) {
  shown->has_rows = true;
  shown->rows = rows.rows();
  shown->columns = rows.columns();
  for (std::size_t row = 0; row < std::min(shown->rows, kShownRows); ++row) {
    auto& columns = shown->first_rows.emplace_back();
    for (std::size_t column = 0; column < std::min(shown->columns, kShownColumns); ++column) {
      const bool is_null = rows.IsNull(row, column);
      const std::string_view text = is_null ? std::string_view() : rows.Value(row, column);
      // A few more than are shown, so that the last character is whole.
      columns.push_back({is_null, std::string(text.substr(0, kShownBytes + 4)), text.size()});
    }
  }
  std::string value;
  const pgsql::FormatOutcome outcome = table.Format(rows, KeyParts(work.key), &value);
  shown->elements = outcome.elements;
  shown->empty = outcome.empty;
}

}  // namespace

std::variant<std::unique_ptr<LookupProbe>, std::string> LookupProbe::Make(
    const config::TableConfig& config, const pgsql::TableBinding& binding,
    const pgsql::ConnectionPool& model, pgsql::EventLoop* loop, pgsql::PoolObserver* observer) {
  pgsql::PoolConfig pool;
  pool.name = model.name();
  pool.settings = model.settings();
  pool.settings.outage_wait = {};  // whoever asks by hand wants to see what is wrong now
  pool.idle_interval = config.idle_interval;
  std::vector<pgsql::ConnectPlan> plans;
  for (const pgsql::HostSpec& host : binding.table->hosts()) {
    auto made = pgsql::MakeConnectPlan(config, host, pool.settings);
    if (auto* error = std::get_if<std::string>(&made)) return std::move(*error);
    auto& plan = std::get<pgsql::ConnectPlan>(made);
    if (std::find(plans.begin(), plans.end(), plan) != plans.end()) continue;
    pool.prefers_standby = pool.prefers_standby || plan.prefers_standby;
    pool.hosts.emplace_back(host.kind, plan.label, config.retry_interval);
    plans.push_back(std::move(plan));
  }
  const pgsql::PgConnectionLimits limits{pool.settings.connect_timeout,
                                         pgsql::MostReceivedFor(binding.settings.max_value),
                                         pool.settings.pooler};
  std::unique_ptr<LookupProbe> probe(new LookupProbe(std::move(plans), limits, loop));
  pgsql::UpstreamFactory* const factory = probe.get();
  probe->pool_ = std::make_shared<pgsql::ConnectionPool>(std::move(pool), factory, loop, observer,
                                                         std::random_device{}());
  return probe;
}

LookupProbe::LookupProbe(std::vector<pgsql::ConnectPlan> plans,
                         const pgsql::PgConnectionLimits& limits, pgsql::EventLoop* loop)
    : plans_(std::move(plans)), limits_(limits), common_(loop), loop_(loop) {}

std::optional<ShownStatement> LookupProbe::Take() { return std::exchange(latest_, std::nullopt); }

std::unique_ptr<pgsql::UpstreamConnection> LookupProbe::NewConnection(
    std::size_t host, pgsql::UpstreamObserver* observer) {
  pool_observer_ = observer;
  pgsql::UpstreamObserver* const self = this;
  return std::make_unique<pgsql::PgConnection>(plans_[host], limits_, &common_, loop_, self);
}

void LookupProbe::OnReady(pgsql::UpstreamConnection* connection) {
  pool_observer_->OnReady(connection);
}

void LookupProbe::OnConnectFailed(pgsql::UpstreamConnection* connection,
                                  const pgsql::ConnectionFault& failure) {
  pool_observer_->OnConnectFailed(connection, failure);
}

void LookupProbe::OnResult(pgsql::UpstreamConnection* connection, pgsql::Work* work,
                           const pgsql::StatementResult& result) {
  const bool ran = result.kind != pgsql::StatementResult::Kind::kAborted;
  if (ran && work->kind == pgsql::Work::Kind::kLookup) {
    const pgsql::CompiledTable& table = *work->binding->table;
    latest_.emplace();
    FillStatement(table.query(), *work, connection->escaper(), &*latest_);
    if (result.rows != nullptr) FillRows(table, *work, *result.rows, &*latest_);
  }
  pool_observer_->OnResult(connection, work, result);
}

void LookupProbe::OnNoPooler(pgsql::UpstreamConnection* connection) {
  pool_observer_->OnNoPooler(connection);
}

void LookupProbe::OnOutdated(pgsql::UpstreamConnection* connection) {
  pool_observer_->OnOutdated(connection);
}

void LookupProbe::OnAllAnswered(pgsql::UpstreamConnection* connection) {
  pool_observer_->OnAllAnswered(connection);
}

void LookupProbe::OnLost(pgsql::UpstreamConnection* connection, const pgsql::ConnectionFault& why) {
  pool_observer_->OnLost(connection, why);
}

}  // namespace proxymux::proxy
