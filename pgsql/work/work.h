// One thing that a pool has to ask of a server, from Submit to its answer, and the lists that it
// stands in.
//
// A Work is owned by its pool and recycled. It stands in one WorkList at most; the lists
// are intrusive, so that a waiter can leave from anywhere without a search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/statement_form.h"
#include "pgsql/work/attempts.h"
#include "pgsql/work/intrusive_list.h"

namespace proxymux::pgsql {

struct TableBinding;

enum class Outcome {
  kFound,
  kNotFound,
  kRetry,   // could be answered later
  kConfig,  // not before somebody mends the table
};

// What the database said and how it was asked; but for `asked` for people, not for decisions.
struct AnswerOrigin {
  std::string_view host;  // its label; empty: no server answered
  StatementForm form = StatementForm::kText;
  std::size_t rows = 0;
  Duration time{};   // from the sending of the statement to its result
  RealTime asked{};  // not after the server can have seen the statement
};

// The views die with the call that brings them.
struct Answer {
  Outcome outcome = Outcome::kRetry;
  std::string_view value;  // kFound only, never empty
  std::string_view
      reason;  // for the log: why not, or what was odd about it; empty when there is nothing to say
  AnswerOrigin origin = {};
  bool no_host = false;       // kRetry: every host is down
  std::string_view key = {};  // that was asked, where whoever asked tells it
};

class LookupSink {
 public:
  virtual ~LookupSink() = default;
  // Exactly once for every Submit that was not abandoned, and never from inside it. May Submit
  // again; must not Abandon another ticket.
  virtual void OnAnswer(const Answer& answer) = 0;
  // No host can serve now, and the lookup waits for one; perhaps not the last time. Who has another
  // answer may Abandon the ticket.
  virtual void OnOutage(std::string_view /*reason*/) {}
  // It has another answer as long as no host can serve: it does not wait, and is not told kRetry.
  virtual bool HasStaleAnswer() const { return false; }
};

struct Work {
  enum class Kind : std::uint8_t {
    kLookup,
    kClassify,    // asks the catalogue what running the binding's statement may do
    kStamp,       // asks whether the catalogue has changed, on the connection that it was sent on
    kLag,         // asks how far the server is behind its primary, as kStamp
    kPrepare,     // prepares the binding's statement on the connection that it was sent on
    kDeallocate,  // of a statement that the connection does not use any more
  };

  Kind kind = Kind::kLookup;
  std::shared_ptr<TableBinding> binding;
  std::string key;
  LookupSink* sink = nullptr;  // null: nobody waits any more

  // How it has to be sent.
  struct Needs {
    bool may_write = false;  // a Sync of its own
    bool alone = false;      // a Sync of its own too: what it does must not meet a neighbour
    bool script = false;     // several statements: a connection for itself
    bool as_text = false;    // whatever the plan says: its prepared statement failed it
  } needs;

  StatementForm form = StatementForm::kText;  // in which it was sent last
  struct Wire {                               // by which it was sent last
    Protocol protocol = Protocol::kExtended;
    bool alone = false;  // nothing else was under way on its connection
  } wire;
  std::uint64_t statement = 0;  // StatementPlan::id() when it was sent with parameters
  std::uint64_t batch = 0;      // what was sent between the same two Syncs has the same number
  bool in_lane = false;         // was sent in a lane

  // The same question, asked of another host while this one owes an answer (twin_lookups.h). Only
  // the first of the two has a sink. Null in both when there is none, or no longer.
  struct Twin {
    Work* second = nullptr;
    Work* first = nullptr;
    bool is_second = false;  // also when the first one is over
  } twin;

  Time submitted{};
  Time queued{};     // the latest time it was put into the queue
  Time sent{};       // the latest time; none yet: Time{}
  RealTime asked{};  // the same moment
  Attempts attempts;
  std::uint64_t sequence = 0;  // in the order of submission

  // To some host, in a try that counts.
  bool WasSent() const { return attempts.any(); }

  ListHook<Work> place;    // what it is doing: waiting in a queue, in flight
  ListHook<Work> age;      // among all that waits
  ListHook<Work> timeout;  // among all lookups that somebody waits for
};

// Works by what they are doing, in the order of submission or of sending.
class WorkList final : public IntrusiveList<Work, &Work::place> {
 public:
  // What the works of a list are doing.
  enum class Role : std::uint8_t { kOther, kInFlight };

  WorkList() = default;
  explicit WorkList(Role role) : role_(role) {}

  static WorkList* ListOf(const Work* work) {
    return static_cast<WorkList*>(IntrusiveList::ListOf(work));
  }
  static bool InFlight(const Work* work) {
    const WorkList* list = ListOf(work);
    return list != nullptr && list->role_ == Role::kInFlight;
  }

  // Before the first one with a higher sequence: keeps a list in the order of submission. Cheap for
  // the newest and for the oldest.
  void InsertInOrder(Work* work);
  // Takes over every work of the other list; both are in the order of submission.
  void Merge(WorkList* other);

 private:
  const Role role_ = Role::kOther;
};

}  // namespace proxymux::pgsql
