#include "pgsql/pool/catalogue_questions.h"

#include <memory>
#include <optional>
#include <utility>

#include "pgsql/host/error_class.h"
#include "pgsql/policy/placement.h"
#include "pgsql/table/statement_effects.h"

namespace proxymux::pgsql {
namespace {

// As often in a row the question about a statement may come to nothing.
constexpr std::uint8_t kQuestions = 3;

// None: the answer has another form.
std::optional<StatementEffects> EffectsIn(const RowSource& rows) {
  if (rows.rows() != 1 || rows.columns() != 1) return std::nullopt;
  return ParseEffects(rows.Value(0, 0));
}

}  // namespace

void CatalogueQuestions::AskForStamps() {
  const bool waited_for = !work_->queues().empty();
  for (std::size_t host = 0; host < pool_->hosts.size(); ++host) {
    if (!waited_for && !pool_->hosts[host].trust.question_late()) continue;
    if (waited_for && needed_ && pool_->hosts[host].catalogue.ShouldAsk(pool_->Now())) {
      AskForStamp(Placement::ChooseForStamp(connections_->View(), host));
    }
    AskForStamp(Placement::ChooseForProof(connections_->View(), host));
  }
}

void CatalogueQuestions::AskForStamp(PoolConnection* connection) {
  if (connection == nullptr) return;
  const std::shared_ptr<TableBinding> binding = work_->TableForQuestion();
  if (binding == nullptr) return;
  Work* work = work_->New(Work::Kind::kStamp, binding);
  work->needs.may_write = false;
  sender_->Send(*connection, work);
}

void CatalogueQuestions::LearnStamp(std::size_t host, Time asked, std::uint64_t stamp) {
  if (!pool_->hosts[host].catalogue.OnAnswered(asked, stamp)) return;
  pool_->rules.OnCatalogueChanged();
  work_->RelineAll();
}

// When it fails, what it was to confirm stays in doubt.
void CatalogueQuestions::OnStamp(const PoolConnection& connection, const Work& work,
                                 const StatementResult& result) {
  if (result.kind != StatementResult::Kind::kRows || result.rows->rows() != 1) return;
  const std::optional<std::uint64_t> stamp = ParseStamp(result.rows->Value(0, 0));
  if (!stamp.has_value()) return;
  LearnStamp(connection.host, work.sent, *stamp);
  pool_->rules.Release(connections_->View());
  pool_->ScheduleDispatch();
}

void CatalogueQuestions::OnEffects(const PoolConnection& connection, Work* work,
                                   const StatementResult& result) {
  TableBinding& binding = *work->binding;
  if (binding.write_class != WriteClass::kAsking) return;  // another answer came first
  std::optional<StatementEffects> effects;
  std::string_view fault = result.message;
  if (result.kind == StatementResult::Kind::kRows) {
    effects = EffectsIn(*result.rows);
    if (!effects.has_value()) fault = "its answer has another form";
  } else {
    const Fault whose = ClassifyError({result.sqlstate, result.fatal, ErrorStage::kText}).fault;
    // The connection's or the host's trouble: asked again, unless it is so each time.
    if (whose != Fault::kStatement && whose != Fault::kKey &&
        ++binding.questions_failed < kQuestions) {
      binding.write_class = WriteClass::kUnknown;
      return;
    }
  }
  const bool was_shared = binding.catalogue != 0 && binding.session != SessionUse::kOwnSession;
  const bool was_own = binding.session == SessionUse::kOwnSession;
  const bool told = effects.has_value();
  binding.questions_failed = 0;
  if (!told) {
    TakeForWriter(&binding, fault);
  } else if (!TakeEffects(connection.host, *work, *std::move(effects))) {
    return;
  }
  binding.catalogue = pool_->rules.catalogues();
  needed_ = true;
  work_->Reline(&binding);
  const bool is_own = binding.session == SessionUse::kOwnSession;
  if (told && is_own && !was_own) pool_->observer->OnOwnSession(binding);
  // It may have changed sessions that others share, before this showed.
  if (was_shared && is_own) {
    for (const auto& other : connections_->all()) {
      if (other->session.owner == nullptr) other->Outdate();
    }
  }
  pool_->rules.Release(connections_->View());
  pool_->ScheduleDispatch();
}

// False: they are of a catalogue that is no more, and are asked again.
bool CatalogueQuestions::TakeEffects(std::size_t host, const Work& work, StatementEffects effects) {
  TableBinding& binding = *work.binding;
  LearnStamp(host, work.sent, effects.stamp);
  if (!pool_->hosts[host].catalogue.Says(effects.stamp)) {
    binding.write_class = WriteClass::kUnknown;
    return false;
  }
  binding.write_class = effects.may_write ? WriteClass::kMayWrite : WriteClass::kReads;
  binding.session = effects.session;
  binding.session_reason = std::move(effects.because);
  return true;
}

void CatalogueQuestions::TakeForWriter(TableBinding* binding, std::string_view fault) {
  binding->write_class = WriteClass::kMayWrite;
  binding->session = SessionUse::kOwnSession;
  binding->session_reason = "the catalogue does not tell";
  pool_->observer->OnUnclassified(*binding, fault);
}

}  // namespace proxymux::pgsql
