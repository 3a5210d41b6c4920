#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that asks catalogues what statements may do to sessions, and sends
// what needs a session of its own.

namespace proxymux::pgsql {
namespace {

// For so long after a lookup that shares its session a connection is kept for the next one.
constexpr Duration kSharedMemory = std::chrono::seconds(5);

// As often in a row the question about a statement may come to nothing.
constexpr std::uint8_t kQuestions = 3;

constexpr char kTakesNothing[] = "the connection does not take statements any more";

}  // namespace

bool ConnectionPool::SharersAreAbout() const {
  return !queues_.Shared().empty() || !queues_.Again(Queue::kShared).empty() ||
         (last_shared_ != Time() && loop_->Now() - last_shared_ < kSharedMemory);
}

// As long as lookups come, each host is asked twice a second whether its catalogue has changed.
void ConnectionPool::AskCatalogues() {
  if (!asks_catalogue_ || queues_.empty()) return;
  const Time now = loop_->Now();
  for (std::size_t host = 0; host < hosts_.size(); ++host) {
    if (!hosts_[host].catalogue.ShouldAsk(now)) continue;
    PoolConnection* best = Placement::ChooseForStamp(View(), host);
    if (best != nullptr) SendStamp(*best);
  }
}

void ConnectionPool::SendStamp(PoolConnection& connection) {
  Work* work = NewWork(Work::Kind::kStamp, queues_.Oldest()->binding);  // which stands for all
  work->may_write = false;
  work->sent = loop_->Now();
  hosts_[connection.host].catalogue.OnAsked(work->sent);
  if (sender_.SendQuestion(connection, work, StampSql(), {})) return;
  if (WorkList::ListOf(work) == nullptr) Recycle(work);  // the connection did not take it
  DropConnection(connection, kTakesNothing);
}

void ConnectionPool::LearnStamp(std::size_t host, Time asked, std::uint64_t stamp) {
  if (!hosts_[host].catalogue.OnAnswered(asked, stamp)) return;
  rules_.OnCatalogueChanged();
  for (Work* work = queues_.Oldest(); work != nullptr; work = WorkQueues::Younger(work)) {
    Reline(work->binding.get());
  }
}

// When it fails, what it was to confirm stays in doubt.
void ConnectionPool::FinishStamp(const PoolConnection& connection, const Work& work,
                                 const StatementResult& result) {
  if (result.kind != StatementResult::Kind::kRows || result.rows->rows() != 1) return;
  const std::optional<std::uint64_t> stamp = ParseStamp(result.rows->Value(0, 0));
  if (!stamp.has_value()) return;
  LearnStamp(connection.host, work.sent, *stamp);
  rules_.Release(View());
  ScheduleDispatch();
}

void ConnectionPool::FinishClassify(const PoolConnection& connection, Work* work,
                                    const StatementResult& result) {
  TableBinding& binding = *work->binding;
  if (binding.write_class != WriteClass::kAsking) return;  // another answer came first
  std::optional<StatementEffects> effects;
  std::string_view fault = result.message;
  if (result.kind == StatementResult::Kind::kRows) {
    fault = "its answer has another form";
    if (result.rows->rows() == 1 && result.rows->columns() == 1) {
      effects = ParseEffects(result.rows->Value(0, 0));
    }
  } else {
    const Fault whose = ClassifyError({result.sqlstate, result.fatal, Phase::kText}).fault;
    // The connection's or the host's trouble: asked again, unless it is so each time.
    if (whose != Fault::kStatement && whose != Fault::kKey &&
        ++binding.questions_failed < kQuestions) {
      binding.write_class = WriteClass::kUnknown;
      return;
    }
  }
  const bool was_shared = binding.catalogue != 0 && binding.session != SessionUse::kOwnSession;
  const bool was_own = binding.session == SessionUse::kOwnSession;
  binding.questions_failed = 0;
  if (effects.has_value()) {
    LearnStamp(connection.host, work->sent, effects->stamp);
    if (!hosts_[connection.host].catalogue.Says(effects->stamp)) {
      binding.write_class = WriteClass::kUnknown;  // of a catalogue that is no more: asked again
      return;
    }
    binding.write_class = effects->may_write ? WriteClass::kMayWrite : WriteClass::kReads;
    binding.session = effects->session;
    binding.session_reason = std::move(effects->because);
  } else {
    binding.write_class = WriteClass::kMayWrite;
    binding.session = SessionUse::kOwnSession;
    binding.session_reason = "the catalogue does not tell";
    observer_->OnUnclassified(binding, fault);
  }
  binding.catalogue = rules_.catalogues();
  asks_catalogue_ = true;
  Reline(&binding);
  if (effects.has_value() && !was_own && binding.session == SessionUse::kOwnSession) {
    observer_->OnOwnSession(binding);
  }
  // It may have changed sessions that others share, before this showed.
  if (was_shared && binding.session == SessionUse::kOwnSession) {
    for (const auto& other : connections_) {
      if (other->session.owner == nullptr) other->Outdate();
    }
  }
  rules_.Release(View());
  ScheduleDispatch();
}

// First to the connections that tables have for themselves and that have room; then the tables take
// turns.
void ConnectionPool::SendOwn() {
  SendAgain(Queue::kOwn);
  SendToOwners();
  const TableBinding* const loan = queues_.TablesOf(Line::kLoan).front();
  const TableBinding* const own = queues_.TablesOf(Line::kOwn).front();
  const bool loan_first = own == nullptr || (loan != nullptr && loan->waiting.front()->sequence <
                                                                    own->waiting.front()->sequence);
  SendOwnLine(loan_first ? Line::kLoan : Line::kOwn);
  SendOwnLine(loan_first ? Line::kOwn : Line::kLoan);
}

void ConnectionPool::SendToOwners() {
  for (const auto& connection : connections_) {
    const std::shared_ptr<TableBinding> owner = connection->session.owner;
    if (owner == nullptr || WorkQueues::QueueOf(owner->line) != Queue::kOwn) continue;
    for (std::size_t left = owner->waiting.size(); left > 0; --left) {
      Work* work = owner->waiting.front();
      PoolConnection* own = work != nullptr ? Choose(*work, Placement::Among::kOwned) : nullptr;
      if (own == nullptr) break;
      SendShort(*own, work);
    }
  }
}

// What one table does not find, no other of the line does that has no connection either.
void ConnectionPool::SendOwnLine(Line line) {
  std::size_t in_vain = 0;
  for (std::size_t left = queues_.lookups(Queue::kOwn); left > 0; --left) {
    TableBinding* table = queues_.TablesOf(line).front();
    if (table == nullptr) return;
    Work* work = table->waiting.front();
    PoolConnection* connection = Choose(*work);
    if (connection == nullptr && (!OwnsConnection(*table) || ++in_vain > connections_.size())) {
      return;
    }
    queues_.ToTheBack(table);
    if (connection != nullptr) SendShort(*connection, work);
  }
}

bool ConnectionPool::OwnsConnection(const TableBinding& binding) const {
  return std::ranges::any_of(connections_, [&](const auto& connection) {
    return connection->session.owner.get() == &binding;
  });
}

}  // namespace proxymux::pgsql
