// A drill: clients ask all the time, something happens to the database servers behind the service,
// and what the clients saw of it is counted and printed.
//
// The drill is made with proxymux; when PROXYMUX_DRILL_STOCK is set also, before, with the stock
// service in its place, and where a drill wants it with stock and PgBouncer between it and the
// server, for comparison: those runs have no expectations. One line each:
//
//   drill: NAME | SERVICE | CLIENTS clients | N answered | N lost (N RETRY, N CONFIG, N not
//   answered) | longest wait N ms [| N connections at most]
//
// Targets of time are asserted under scripts/drill only (Bound). Each time that a drill says that
// what happened is over (Scene::IsOver), the waits of the second that begins a second later are
// looked at; the worst of these:
//
//   drill: NAME | SERVICE | p99 N ms before, N ms after
//
// A machine that is busy with others makes clients wait by itself. So the same load is first looked
// at for a second while nothing happens, and its longest wait then comes on top of the target; and
// so does the time in which the machine did not run what wanted to run, which is printed as well.
//
// scripts/drill runs all of them, three times, and makes a table of the lines. A client that was
// not read by a service that closed asks again, and that is no loss.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/drills/machine_watch.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/postfix_instance.h"

namespace proxymux::drills {

struct DrillOptions {
  std::string name;
  int clients = 100;
  harness::PostfixInstance::Options postfix;  // its service is the drill's to set
  std::vector<std::string> tables;            // asked in turn; empty: LoadTables()
  std::vector<int> ports;  // of the servers: connections to them are counted; empty: they are not
  // Nobody can be answered before it happens: the load is not looked at while it is calm.
  bool cold = false;
  // Calls the function with the tables of stock with PgBouncer between, which is there as long as
  // that takes; none: there is no such run.
  using Tables = std::vector<harness::TableFile>;
  std::function<void(const std::function<void(const Tables&)>&)> with_bouncer;
};

class Drill {
 public:
  // One service under load. What happens to the servers is done by the caller's function, which
  // waits for what it wants to see with WaitForAnswers and the like, never by sleeping.
  struct Scene {
    harness::Service service;
    const std::string& name;  // of the service, as it is printed
    harness::PostfixInstance& postfix;
    harness::LoadClients& load;
    const MachineWatch& machine;
    std::optional<std::chrono::steady_clock::time_point> over{};  // the last time
    double away_until_over_ms = 0;                                // of the machine
    double away_after_ms = 0;  // in the two seconds after it was over, the most of all times

    bool stock() const { return service == harness::Service::kStock; }
    // How long something is waited for. Stock may stay away from a server for a minute, or as long
    // as one is frozen: that is not waited for.
    harness::milliseconds patience() const { return harness::seconds(stock() ? 4 : 120); }
    // The state of affairs lasts for that long.
    void LetRun(harness::milliseconds time);
    // What happened was over then, just now, and lookups are soon to wait no longer than before.
    void IsOver(std::chrono::steady_clock::time_point then = std::chrono::steady_clock::now());
    // Until the second in which they are looked at is over.
    void LookAfter();
    // The same, and until a further outage is another one (outage.h).
    void AwaitNextOutage();
  };
  using Happening = std::function<void(Scene&)>;

  // `directory` makes a new name for each service's instance; `mend` puts the servers back to what
  // they were, after each.
  Drill(DrillOptions options, std::function<std::string()> directory, std::function<void()> mend);

  // What proxymux's clients saw. Throws std::runtime_error when a service cannot be started or
  // answers nothing at the beginning.
  harness::LoadReport Run(const Happening& happening);

  const std::string& name() const { return options_.name; }
  // A target for the waits of proxymux's clients, on this machine as it was in the latest run.
  double Allowed(double target_ms) const;

  // A second after the end of what happened the 99th percentile of the waits was as before it, but
  // for noise: `other_work_ms` more where something else keeps the machine busy by then. Under
  // scripts/drill it is false when the drill does not say when that was, too.
  bool AsBefore(double other_work_ms = 0) const;
  std::string BeforeAndAfter() const;  // these percentiles, in words

  const std::string& log() const { return log_; }  // proxymux's mail log
  // To the servers' ports at one time; of the latest run.
  int most_connections() const { return most_connections_; }

 private:
  harness::LoadReport RunOn(harness::Service service, const std::string& name,
                            const std::vector<harness::TableFile>& tables,
                            const Happening& happening);

  const DrillOptions options_;
  const std::function<std::string()> directory_;
  const std::function<void()> mend_;
  double calm_ms_ = 0;
  double away_ms_ = 0;
  double before_p99_ms_ = 0;
  double after_p99_ms_ = std::numeric_limits<double>::quiet_NaN();  // not looked at
  double after_away_ms_ = 0;                                        // meanwhile
  std::string log_;
  int most_connections_ = 0;
};

// A bound of time: `limit` where scripts/drill has the machine for
// itself; elsewhere none, since a test must not fail because of how busy the machine is.
double Bound(double limit);

// scripts/drill runs, and has the machine for itself: PROXYMUX_DRILL is set.
bool DrillMode();

inline constexpr harness::seconds kDefaultWait{5};  // outage_wait

// proxymux.yaml where an outage is shorter than the default of outage_wait. Elsewhere than under
// scripts/drill the wait is long, since a machine that is busy may be slow to end the outage.
// `pool`: further settings of pools.
std::string ForShortOutage(const std::string& pool = "");

// The longest drills, with more repetitions, and stock beside: PROXYMUX_DRILL_STOCK is set, as
// scripts/drill does.
bool Thorough();

// How often a short outage happens in a drill. With time in between in the longest ones only.
int Outages();

// In proxymux's log: an outage is over, lookups waited for that, and all of them were answered.
bool SaysThatLookupsWaited(const std::string& log);

// Prints a figure of a drill that the line of Run() does not have, on a line of its own.
void SayFigure(const std::string& drill, harness::Service service, const std::string& figure);
void SayFigure(const std::string& drill, const std::string& service, const std::string& figure);

}  // namespace proxymux::drills
