#include "proxy/relay/domain_tables.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "protocol/dict_flags.h"
#include "protocol/request_encoder.h"
#include "protocol/table_name.h"

namespace proxymux::proxy {
namespace {

using Kind = DomainAnswer::Kind;

// What Postfix opens the tables of its lists with. Not FOLD_FIX: keys come folded, and with it an
// inline table would fold its own keys too, and match where Postfix does not.
constexpr std::uint32_t kListFlags = protocol::kFlagLock | protocol::kFlagUtf8Request;

constexpr std::chrono::seconds kReplaceAfter{1};

std::string TableOf(std::string_view member) {
  return std::string(protocol::StripProxyPrefixes(member));
}

}  // namespace

class DomainTables::Ticket final : public RelayTicket {
 public:
  explicit Ticket(std::shared_ptr<std::size_t> waiting) : waiting_(std::move(waiting)) {
    ++*waiting_;
  }
  ~Ticket() override { --*waiting_; }

  void WaitsFor(std::unique_ptr<RelayTicket> relayed) { relayed_ = std::move(relayed); }

 private:
  const std::shared_ptr<std::size_t> waiting_;
  std::unique_ptr<RelayTicket> relayed_;
};

DomainTables::DomainTables(protocol::Dialect dialect, RelayFactory make_relay,
                           const pgsql::EventLoop* loop)
    : dialect_(dialect), make_relay_(std::move(make_relay)), loop_(loop) {}

DomainTables::~DomainTables() = default;

std::unique_ptr<RelayTicket> DomainTables::Ask(std::string_view member,
                                               std::string_view folded_domain, Done done) {
  Service* const service = ServiceFor(TableOf(member));
  auto ticket = std::make_unique<Ticket>(service->waiting);
  if (service->flags.has_value()) {
    ticket->WaitsFor(AskOpened(service, folded_domain, std::move(done)));
  } else {
    OpenAndAsk(service, ticket.get(), std::string(folded_domain), std::move(done));
  }
  return ticket;
}

void DomainTables::OpenAndAsk(Service* service, Ticket* ticket, std::string folded_domain,
                              Done done) {
  const protocol::Request open{.dialect = dialect_,
                               .operation = protocol::OpenRequest{service->table, kListFlags}};
  auto opened = [this, service, ticket, domain = std::move(folded_domain),
                 done = std::move(done)](const RelayReply& reply) {
    if (const auto failure = OpenFailure(reply)) {
      Conclude(service, reply, *failure, done);
      return;
    }
    service->flags = reply.flags;
    ticket->WaitsFor(AskOpened(service, domain, done));
  };
  ticket->WaitsFor(Submit(service, open, std::move(opened)));
}

std::unique_ptr<RelayTicket> DomainTables::AskOpened(Service* service,
                                                     std::string_view folded_domain, Done done) {
  const protocol::Request lookup{.dialect = dialect_,
                                 .operation = protocol::LookupRequest{
                                     service->table, kListFlags, *service->flags, folded_domain}};
  return Submit(service, lookup, [this, service, done = std::move(done)](const RelayReply& reply) {
    Conclude(service, reply, Judge(reply), done);
  });
}

std::unique_ptr<RelayTicket> DomainTables::Submit(Service* service,
                                                  const protocol::Request& question,
                                                  Relay::Done done) {
  RelayRequest request;
  protocol::AppendRequest(question, &request.list);
  request.table = service->table;
  request.kind = protocol::KindOf(question.operation);
  request.dialect = dialect_;
  return service->relay->Submit(std::move(request), nullptr, std::move(done));
}

DomainTables::Service* DomainTables::ServiceFor(const std::string& table) {
  std::unique_ptr<Service>& place = current_[table];
  if (place != nullptr && MayReplace(*place)) Retire(std::move(place));
  if (place == nullptr) {
    place = std::make_unique<Service>();
    place->table = table;
    place->relay = make_relay_(table);
    place->waiting = std::make_shared<std::size_t>(0);
    place->made = loop_->Now();
    if (dialect_ == protocol::Dialect::kLegacy) place->flags = kListFlags;
    FollowPhase(place.get());
  }
  return place.get();
}

// Also for a relay that is made later than Drain() or Stop(). One that stops fails what it is
// asked, in its own time.
void DomainTables::FollowPhase(Service* service) {
  switch (phase_) {
    case Phase::kServing:
      return;
    case Phase::kDraining:
      if (service->phase != Phase::kServing) return;
      service->phase = Phase::kDraining;
      service->relay->Drain();
      return;
    case Phase::kStopping:
    case Phase::kStopped:
      StopService(service);
      return;
  }
}

// Not while the one before it is still ending: a table that is slow to fail must not collect them.
bool DomainTables::MayReplace(const Service& service) const {
  if (!service.distrusted || phase_ >= Phase::kStopping ||
      loop_->Now() - service.made < kReplaceAfter)
    return false;
  return std::none_of(retired_.begin(), retired_.end(),
                      [&](const auto& other) { return other->table == service.table; });
}

void DomainTables::Conclude(Service* service, const RelayReply& reply, const DomainAnswer& answer,
                            const Done& done) {
  // A failure without a reply is a process that ended, or none that could be started: the relay
  // takes a new one by itself.
  if (answer.kind == Kind::kFailed && reply.outcome == RelayOutcome::kReplied) {
    service->distrusted = true;
  }
  done(answer);
}

DomainAnswer DomainTables::Judge(const RelayReply& reply) {
  if (reply.outcome == RelayOutcome::kFailed) return {Kind::kFailed, reply.reason};
  if (!reply.status.has_value()) {
    return {Kind::kFailed, "the stock proxymap's reply has not the form that was expected"};
  }
  switch (*reply.status) {
    case protocol::Status::kOk:
      return {Kind::kFound, {}};
    case protocol::Status::kNoKey:
      return {Kind::kNotFound, {}};
    case protocol::Status::kRetry:
    case protocol::Status::kBad:
    case protocol::Status::kDeny:
    case protocol::Status::kConfig:
      break;
  }
  return {Kind::kFailed, "the stock proxymap answered " +
                             std::string(protocol::StatusName(*reply.status)) +
                             "; its own log lines say why"};
}

// A daemon that cannot open a table answers OK, with flags that hold for nothing: other daemons
// that could open it by now would answer *not found*, or end.
std::optional<DomainAnswer> DomainTables::OpenFailure(const RelayReply& reply) {
  const DomainAnswer answer = Judge(reply);
  if (answer.kind == Kind::kFailed) return answer;
  const bool opened = answer.kind == Kind::kFound && (reply.flags & protocol::kFlagSurrogate) == 0;
  if (opened) return std::nullopt;
  return DomainAnswer{Kind::kFailed,
                      "the stock proxymap cannot open it; its own log lines say why"};
}

void DomainTables::Retire(std::unique_ptr<Service> service) {
  if (*service->waiting == 0) StopService(service.get());
  retired_.push_back(std::move(service));
}

void DomainTables::StopService(Service* service) {
  if (service->phase >= Phase::kStopping) return;
  service->phase = Phase::kStopping;
  service->relay->Stop([this, service] { OnStopped(service); });
}

void DomainTables::OnStopped(Service* service) {
  service->phase = Phase::kStopped;
  TellWhenStopped();
}

void DomainTables::TellWhenStopped() {
  if (stopped_ == nullptr) return;
  const auto is_stopped = [](const auto& each) { return each->phase == Phase::kStopped; };
  const bool all = std::all_of(retired_.begin(), retired_.end(), is_stopped) &&
                   std::all_of(current_.begin(), current_.end(),
                               [&](const auto& entry) { return is_stopped(entry.second); });
  if (!all) return;
  phase_ = Phase::kStopped;
  std::exchange(stopped_, nullptr)();
}

void DomainTables::Sweep(const std::set<std::string>& members) {
  if (empty() || phase_ >= Phase::kStopping) return;
  std::set<std::string> named;
  for (const std::string& member : members) named.insert(TableOf(member));
  for (auto it = current_.begin(); it != current_.end();) {
    if (named.contains(it->first)) {
      ++it;
      continue;
    }
    Retire(std::move(it->second));
    it = current_.erase(it);
  }
  std::erase_if(retired_, [](const auto& service) { return service->phase == Phase::kStopped; });
  for (const auto& service : retired_) {
    if (*service->waiting == 0) StopService(service.get());
  }
}

void DomainTables::ReplaceAll() {
  if (phase_ >= Phase::kStopping) return;
  for (auto& [table, service] : std::exchange(current_, {})) Retire(std::move(service));
}

void DomainTables::Drain() {
  if (phase_ >= Phase::kDraining) return;
  phase_ = Phase::kDraining;
  for (const auto& [table, service] : current_) FollowPhase(service.get());
  for (const auto& service : retired_) FollowPhase(service.get());
}

void DomainTables::Stop(std::function<void()> stopped) {
  phase_ = Phase::kStopping;
  for (const auto& [table, service] : current_) FollowPhase(service.get());
  for (const auto& service : retired_) FollowPhase(service.get());
  stopped_ = std::move(stopped);
  TellWhenStopped();
}

std::size_t DomainTables::waiting() const {
  std::size_t sum = 0;
  for (const auto& [table, service] : current_) sum += *service->waiting;
  for (const auto& service : retired_) sum += *service->waiting;
  return sum;
}

std::size_t DomainTables::relays() const { return current_.size() + retired_.size(); }

}  // namespace proxymux::proxy
