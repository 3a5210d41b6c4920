#include "proxy/bench/uv_bench.h"

#include <chrono>
#include <csignal>
#include <utility>

#include "protocol/reply_parser.h"

namespace proxymux::proxy {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kLateNs = 1'000'000;
constexpr std::size_t kMaxExamples = 5;

std::int64_t Now() { return static_cast<std::int64_t>(uv_hrtime()); }

}  // namespace

UvBench::UvBench(const BenchOptions& options, BenchPlan* plan, Print progress)
    : options_(options),
      plan_(plan),
      clients_(static_cast<std::size_t>(options.clients)),
      parked_(clients_.size()),
      processors_(options.processes),
      progress_(std::move(progress)),
      result_(options.tables.size()) {
  uv_loop_init(&loop_);
  UvBenchConnections::Listener* const listener = this;
  connections_ = std::make_unique<UvBenchConnections>(
      &loop_, options_.socket, options_.wire.greeting,
      clients_.size() + static_cast<std::size_t>(options_.idle_clients), listener);
  connections_->SetInterval(options_.connect_interval_ns);
  alarm_ = std::make_unique<UvBenchAlarm>(&loop_, [this] { Wake(); });
}

UvBench::~UvBench() {
  connections_->Close();
  alarm_->Close();
  phase_timer_.Close();
  progress_.Close();
  interrupt_.Close();
  uv_run(&loop_, UV_RUN_DEFAULT);  // for the close callbacks
  uv_loop_close(&loop_);
}

std::optional<BenchResult> UvBench::Run(std::string* error) {
  phase_timer_ = UvTimer(&loop_, [this] { ConnectingTakesTooLong(); });
  phase_timer_.Start(nanoseconds(options_.connect_timeout_ns));
  interrupt_.Start(&loop_, SIGINT, [this](int) {
    if (phase_ == Phase::kFinishing) return Finish();
    if (phase_ != Phase::kConnecting) return EndWindow();
    error_ = "interrupted";
    Finish();
  });
  RestartSchedule(Now());
  connections_->Open();
  // Nobody there at all is most likely a wrong name: say so at once.
  if (connections_->connects() == 0 && !connections_->last_error().empty()) {
    *error = "cannot connect to " + options_.socket + ": " + connections_->last_error();
    return std::nullopt;
  }
  uv_run(&loop_, UV_RUN_DEFAULT);
  if (result_.seconds == 0) {
    *error = error_;
    return std::nullopt;
  }
  return std::move(result_);
}

void UvBench::ConnectingTakesTooLong() {
  if (connected_.busy() > 0) return BeginRun();
  error_ = "no client could connect to " + options_.socket + " in time";
  if (!connections_->last_error().empty()) {
    error_ += ": " + connections_->last_error();
  } else if (connections_->connects() > 0) {
    error_ += ": the service sends no greeting (before Postfix 3.6: --no-greeting)";
  }
  Finish();
}

void UvBench::BeginRun() {
  SetPhase(Phase::kWarmUp);
  const std::int64_t now = Now();
  result_.tally.ClearInterval();
  RestartSchedule(now);
  progress_.Begin(&loop_, [this](double at, double interval) {
    std::string line = BenchProgressLine(at, interval, result_.tally.interval(), connected_.busy(),
                                         phase_ == Phase::kWarmUp);
    result_.tally.ClearInterval();
    return line;
  });
  phase_timer_ = UvTimer(&loop_, [this] { BeginWindow(); });
  if (options_.warm_up_ns > 0) {
    phase_timer_.Start(nanoseconds(options_.warm_up_ns));
  } else {
    BeginWindow();
  }
}

void UvBench::BeginWindow() {
  processors_.Begin();
  SetPhase(Phase::kMeasuring);
  const std::int64_t now = Now();
  result_.tally.BeginWindow(now);
  if (options_.duration_ns > 0) {
    phase_timer_ = UvTimer(&loop_, [this] { EndWindow(); });
    phase_timer_.Start(nanoseconds(options_.duration_ns));
  } else {
    // So many lookups have no end when nobody is there to send them.
    phase_timer_ = UvTimer(&loop_, [this] {
      if (!connected_.WhyNone(Now(), connections_->last_error()).empty()) EndWindow();
    });
    phase_timer_.StartRepeating(nanoseconds(options_.connect_timeout_ns));
  }
  RestartSchedule(now);
}

// Each phase has a schedule of its own: what the one before could not send would otherwise come
// first, and with a rate far too high nothing of the window would be sent at all.
void UvBench::RestartSchedule(std::int64_t now) {
  if (options_.rate == 0) return;
  arrivals_.emplace(options_.rate, options_.arrivals, now, options_.seed + ++schedules_);
  Wake();
}

void UvBench::EndWindow() {
  // Interrupted; a window of few lookups may be over at once.
  if (phase_ == Phase::kWarmUp) BeginWindow();
  if (phase_ != Phase::kMeasuring) return;
  const std::int64_t now = Now();
  BenchTally& tally = result_.tally;
  tally.EndWindow(now);
  SetPhase(Phase::kFinishing);
  result_.seconds = tally.WindowSeconds();
  result_.connected = connected_.busy();
  result_.idle_connected = connected_.idle();
  result_.gone = connected_.WhyNone(now, connections_->last_error());
  // A run of so many lookups has sent all that it was to send.
  if (arrivals_ && (options_.requests == 0 || asked_ < options_.requests)) {
    arrivals_->TakeAllBefore(now, [&](std::int64_t due) { tally.Unsent(due); });
  }
  for (const Client& client : clients_) {
    if (client.again) tally.Unsent(client.due);
  }
  if (on_their_way_ == 0) return Finish();
  phase_timer_ = UvTimer(&loop_, [this] { Finish(); });
  phase_timer_.Start(nanoseconds(options_.timeout_ns));
}

void UvBench::Finish() {
  if (phase_ == Phase::kDone) return;
  const bool measured = phase_ == Phase::kFinishing;
  SetPhase(Phase::kDone);
  if (measured) {
    BenchTally& tally = result_.tally;
    for (const Client& client : clients_) {
      if (client.asked) tally.Lost(client.lookup.table, client.due);
    }
    processors_.End(&result_);
    result_.lookups_per_second =
        options_.requests > 0 ? tally.AnswersPerSecondToLast() : tally.AnswersPerSecond();
    result_.connects = connections_->connects();
    result_.verified = plan_->verifies();
  }
  uv_stop(&loop_);
}

void UvBench::OnConnected(std::size_t index) {
  if (phase_ == Phase::kDone) return;
  connected_.Came(IsIdle(index));
  if (!IsIdle(index) && Asking()) Begin(index);
  if (phase_ == Phase::kConnecting && connected_.busy() == options_.clients &&
      connected_.idle() == options_.idle_clients) {
    BeginRun();
  }
}

void UvBench::Begin(std::size_t index) {
  Client& client = clients_[index];
  const bool first = !std::exchange(client.begun, true);
  if (client.again) return SendLookup(index);
  if (client.parked) return;
  const std::int64_t now = Now();
  if (!first || options_.think_time_ns == 0) return Free(index, now);
  // Spread over the think time, or all would ask at once for ever.
  client.due = now + options_.think_time_ns * static_cast<std::int64_t>(index) /
                         static_cast<std::int64_t>(clients_.size());
  Park(index);
}

void UvBench::OnDisconnected(std::size_t index, UvBenchConnections::End end) {
  connected_.Went(IsIdle(index), Now());
  ++result_.reconnects;
  if (IsIdle(index)) {
    ++result_.idle_ends;
    return;
  }
  Client& client = clients_[index];
  if (!client.asked) return;
  if (end == UvBenchConnections::End::kReset) return NotRead(index);
  client.asked = false;
  if (end == UvBenchConnections::End::kOurs) {
    result_.tally.Malformed(client.lookup.table, client.due);
  } else {
    result_.tally.Lost(client.lookup.table, client.due);
  }
  if (--on_their_way_ == 0 && phase_ == Phase::kFinishing) Finish();
}

void UvBench::NotRead(std::size_t index) {
  Client& client = clients_[index];
  ++result_.asked_again;
  client.asked = false;
  client.again = true;
  if (phase_ == Phase::kFinishing) result_.tally.Unsent(client.due);
  if (--on_their_way_ == 0 && phase_ == Phase::kFinishing) Finish();
}

void UvBench::OnReply(std::size_t index, const protocol::AttributeList& list) {
  // What idle clients are told is not asked for.
  if (IsIdle(index) || !clients_[index].asked) return connections_->Drop(index);
  const auto reply =
      protocol::ParseReply(list, protocol::RequestKind::kLookup, options_.wire.dialect);
  if (!reply) return connections_->Drop(index);
  Client& client = clients_[index];
  const std::int64_t now = Now();
  const bool wrong = plan_->IsWrong(client.lookup, *reply);
  if (wrong && result_.wrong_examples.size() < kMaxExamples) {
    result_.wrong_examples.push_back(plan_->Describe(client.lookup, *reply));
  }
  result_.tally.Answered(client.lookup.table, client.due, now, reply->status, wrong);
  client.asked = false;
  --on_their_way_;
  if (Asking()) return Free(index, now);
  if (on_their_way_ == 0 && phase_ == Phase::kFinishing) Finish();
}

void UvBench::Free(std::size_t index, std::int64_t now) {
  if (!arrivals_ && options_.think_time_ns == 0) return Ask(index, now, now);
  if (!arrivals_) {
    clients_[index].due = now + options_.think_time_ns;
  } else if (arrivals_->due() <= now && parked_.empty()) {
    const std::int64_t due = arrivals_->due();
    arrivals_->Take();
    return Ask(index, due, now);
  }
  Park(index);
}

void UvBench::Park(std::size_t index) {
  clients_[index].parked = true;
  const bool first = parked_.empty();
  parked_.Push(index);
  // Otherwise the alarm is set already.
  if (first) alarm_->Set(arrivals_ ? arrivals_->due() : clients_[index].due);
}

// Asks what is due by now, and sets the alarm for what is due next.
void UvBench::Wake() {
  while (Asking() && !parked_.empty()) {
    const std::size_t index = parked_.front();
    const std::int64_t now = Now();
    const std::int64_t due = arrivals_ ? arrivals_->due() : clients_[index].due;
    if (due > now) return alarm_->Set(due);
    parked_.Pop();
    clients_[index].parked = false;
    // It may have lost its connection while it stood here.
    if (!connections_->IsConnected(index)) continue;
    if (arrivals_) arrivals_->Take();
    Ask(index, arrivals_ ? due : now, now);
  }
}

void UvBench::Ask(std::size_t index, std::int64_t due, std::int64_t now) {
  Client& client = clients_[index];
  client.lookup = plan_->Next();
  client.due = due;
  if (now - due > kLateNs) result_.tally.SentLate(due);
  if (phase_ == Phase::kMeasuring && result_.tally.IsMeasured(due)) ++asked_;
  SendLookup(index);
  if (options_.requests > 0 && asked_ >= options_.requests && phase_ == Phase::kMeasuring) {
    EndWindow();
  }
}

void UvBench::SendLookup(std::size_t index) {
  Client& client = clients_[index];
  client.again = false;
  client.asked = true;
  ++on_their_way_;
  if (connections_->Send(index, plan_->Request(client.lookup))) return;
  connected_.Went(IsIdle(index), Now());
  ++result_.reconnects;
  NotRead(index);
}

}  // namespace proxymux::proxy
