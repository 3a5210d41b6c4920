#include "proxy/relay/domain_tables.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "protocol/dict_flags.h"
#include "protocol/request_encoder.h"

namespace proxymux::proxy {
namespace {

using TableAnswer = pgsql::DomainFilter::TableAnswer;

// What Postfix opens the tables of its lists with. Not FOLD_FIX: keys come folded, and with it an
// inline table would fold its own keys too, and match where Postfix does not.
constexpr std::uint32_t kListFlags = protocol::kFlagLock | protocol::kFlagUtf8Request;

constexpr std::chrono::seconds kReplaceAfter{1};

std::string TableOf(std::string_view member) {
  constexpr std::string_view kProxy = "proxy:";
  while (member.starts_with(kProxy)) member.remove_prefix(kProxy.size());
  return std::string(member);
}

}  // namespace

class DomainTables::Ticket final : public RelayTicket {
 public:
  Ticket(std::shared_ptr<std::size_t> waiting, std::unique_ptr<RelayTicket> relayed)
      : waiting_(std::move(waiting)), relayed_(std::move(relayed)) {
    ++*waiting_;
  }
  ~Ticket() override { --*waiting_; }

 private:
  const std::shared_ptr<std::size_t> waiting_;
  const std::unique_ptr<RelayTicket> relayed_;
};

DomainTables::DomainTables(protocol::Dialect dialect, RelayFactory make_relay,
                           const pgsql::EventLoop* loop)
    : dialect_(dialect), make_relay_(std::move(make_relay)), loop_(loop) {}

DomainTables::~DomainTables() = default;

std::unique_ptr<RelayTicket> DomainTables::Ask(std::string_view member,
                                               std::string_view folded_domain, Done done) {
  Service* const service = ServiceFor(TableOf(member));
  protocol::Request question;
  question.dialect = dialect_;
  question.operation =
      protocol::LookupRequest{service->table, kListFlags, kListFlags, folded_domain};
  RelayRequest request;
  protocol::AppendRequest(question, &request.list);
  request.table = service->table;
  request.kind = protocol::RequestKind::kLookup;
  request.dialect = dialect_;
  auto relayed =
      service->relay->Submit(std::move(request), nullptr,
                             [this, service, done = std::move(done)](const RelayReply& reply) {
                               OnReply(service, reply, done);
                             });
  return std::make_unique<Ticket>(service->waiting, std::move(relayed));
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
    if (draining_) place->relay->Drain();
    if (stopping_) StopService(place.get());  // it then fails what it is asked, in its own time
  }
  return place.get();
}

// Not while the one before it is still ending: a table that is slow to fail must not collect them.
bool DomainTables::MayReplace(const Service& service) const {
  if (!service.distrusted || stopping_ || loop_->Now() - service.made < kReplaceAfter) return false;
  return std::none_of(retired_.begin(), retired_.end(),
                      [&](const auto& other) { return other->table == service.table; });
}

void DomainTables::OnReply(Service* service, const RelayReply& reply, const Done& done) {
  const DomainAnswer answer = Judge(reply);
  // A failure without a reply is a process that ended, or none that could be started: the relay
  // takes a new one by itself.
  if (answer.answer == TableAnswer::kFailed && reply.outcome == RelayOutcome::kReplied) {
    service->distrusted = true;
  }
  done(answer);
}

DomainAnswer DomainTables::Judge(const RelayReply& reply) {
  if (reply.outcome == RelayOutcome::kFailed) return {TableAnswer::kFailed, reply.reason};
  if (!reply.status.has_value()) {
    return {TableAnswer::kFailed, "the stock proxymap's reply has not the form that was expected"};
  }
  switch (*reply.status) {
    case protocol::Status::kOk:
      return {TableAnswer::kFound, {}};
    case protocol::Status::kNoKey:
      return {TableAnswer::kNotFound, {}};
    case protocol::Status::kRetry:
    case protocol::Status::kBad:
    case protocol::Status::kDeny:
    case protocol::Status::kConfig:
      break;
  }
  return {TableAnswer::kFailed, "the stock proxymap answered " +
                                    std::string(protocol::StatusName(*reply.status)) +
                                    "; its own log lines say why"};
}

void DomainTables::Retire(std::unique_ptr<Service> service) {
  if (*service->waiting == 0) StopService(service.get());
  retired_.push_back(std::move(service));
}

void DomainTables::StopService(Service* service) {
  if (std::exchange(service->stopping, true)) return;
  service->relay->Stop([this, service] { OnStopped(service); });
}

void DomainTables::OnStopped(Service* service) {
  service->stopped = true;
  TellWhenStopped();
}

void DomainTables::TellWhenStopped() {
  if (stopped_ == nullptr) return;
  const auto is_stopped = [](const auto& each) { return each->stopped; };
  const bool all = std::all_of(retired_.begin(), retired_.end(), is_stopped) &&
                   std::all_of(current_.begin(), current_.end(),
                               [&](const auto& entry) { return is_stopped(entry.second); });
  if (all) std::exchange(stopped_, nullptr)();
}

void DomainTables::Sweep(const std::set<std::string>& members) {
  if (empty() || stopping_) return;
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
  std::erase_if(retired_, [](const auto& service) { return service->stopped; });
  for (const auto& service : retired_) {
    if (*service->waiting == 0) StopService(service.get());
  }
}

void DomainTables::ReplaceAll() {
  if (stopping_) return;
  for (auto& [table, service] : std::exchange(current_, {})) Retire(std::move(service));
}

void DomainTables::Drain() {
  draining_ = true;
  for (const auto& [table, service] : current_) service->relay->Drain();
  for (const auto& service : retired_) {
    if (!service->stopping) service->relay->Drain();
  }
}

void DomainTables::Stop(std::function<void()> stopped) {
  stopping_ = true;
  for (const auto& [table, service] : current_) StopService(service.get());
  for (const auto& service : retired_) StopService(service.get());
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
