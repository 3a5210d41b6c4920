#include "proxy/requests/request_router.h"

#include <fmt/format.h>

#include <string_view>
#include <variant>

#include "protocol/dict_flags.h"
#include "proxy/requests/bounded_text.h"

namespace proxymux::proxy {

using protocol::RequestKind;
using protocol::Status;

RequestRouter::RequestRouter(const TableRegistry* tables, Coalescer* coalescer, Relay* relay,
                             DomainLookup* domains, const pgsql::EventLoop* loop, MessageLog* log,
                             bool smtputf8_enable)
    : tables_(tables),
      backends_{coalescer, relay, domains},
      loop_(loop),
      log_(log),
      smtputf8_enable_(smtputf8_enable),
      replies_(loop),
      lookups_(&replies_, loop, log, smtputf8_enable) {}

RequestRouter::Route RequestRouter::RouteOf(const protocol::Request& request,
                                            CurrentRequest* current, std::string* out) {
  const RequestKind kind = protocol::KindOf(request.operation);
  const std::string_view table = protocol::TableOf(request.operation);
  if (request.extra_attributes > 0) {
    log_->LimitedWarning(
        "extra attributes",
        fmt::format("a client sent {} unexpected attributes behind a {} request; they are ignored",
                    request.extra_attributes, protocol::RequestName(kind)));
  }
  *current = CurrentRequest{};
  current->kind = kind;
  current->dialect = request.dialect;
  current->began = loop_->RealNow();
  CountRequest(kind);
  if (kind == RequestKind::kUpdate || kind == RequestKind::kDelete) {
    log_->LimitedWarning("write requests",
                         fmt::format("refused to {} in table {}: this service only reads "
                                     "(proxywrite is the one that writes)",
                                     protocol::RequestName(kind), BoundedText(table)));
    return Reply(*current, Status::kDeny, out);
  }
  if (!tables_->Approved(table)) {
    log_->LimitedWarning("unapproved tables",
                         fmt::format("table {} is not approved: to allow it, add proxy:{} to "
                                     "proxy_read_maps in main.cf",
                                     BoundedText(table), BoundedText(table)));
    return Reply(*current, Status::kDeny, out);
  }
  const auto* lookup = std::get_if<protocol::LookupRequest>(&request.operation);
  if (!TableRegistry::IsPgsql(table)) {
    if (lookup != nullptr) current->flags = lookup->flags;
    current->relayed = relayed_.Asked(table);
    return Route::kRelay;
  }
  if (lookup != nullptr) {
    current->table = tables_->Find(table);
    return Route::kLookup;
  }
  if (const auto* open = std::get_if<protocol::OpenRequest>(&request.operation)) {
    // A broken table opens as a good one does: a client that is told otherwise never again asks it
    // for partial keys.
    current->flags = protocol::OpenReplyFlags(open->instance_flags, smtputf8_enable_);
    return Reply(*current, Status::kOk, out);
  }
  log_->LimitedWarning(
      fmt::format("sequence {}", table),
      fmt::format("table {} cannot be listed: pgsql tables have no sequence", table));
  return Reply(*current, Status::kConfig, out);
}

void RequestRouter::CountRequest(RequestKind kind) {
  switch (kind) {
    case RequestKind::kOpen:
      ++requests_.open;
      return;
    case RequestKind::kLookup:
      ++requests_.lookup;
      return;
    case RequestKind::kSequence:
      ++requests_.sequence;
      return;
    case RequestKind::kUpdate:
      ++requests_.update;
      return;
    case RequestKind::kDelete:
      ++requests_.remove;
      return;
    case RequestKind::kUnknown:
      ++requests_.unknown;
      return;
  }
}

RequestRouter::Route RequestRouter::Reply(const CurrentRequest& current, Status status,
                                          std::string* out) {
  replies_.Append(current, status, {}, out);
  return Route::kReplied;
}

void RequestRouter::Refuse(const protocol::Malformed& malformed, std::string* out) {
  ++malformed_;
  CountRequest(RequestKind::kUnknown);
  log_->LimitedWarning(
      "malformed requests",
      fmt::format("malformed {} request from a client: {}{}{}{}{}",
                  protocol::RequestName(malformed.kind), malformed.reason,
                  malformed.attribute.empty() ? "" : ", expected ", malformed.attribute,
                  malformed.found.empty() ? "" : ", got ", BoundedText(malformed.found)));
  replies_.AppendBad(malformed.kind, malformed.dialect, out);
}

void RequestRouter::Ignore(const protocol::Unanswered& unanswered) {
  ++malformed_;
  log_->LimitedWarning(
      "lists that are no request",
      fmt::format("a client sent an attribute list that is no request: {}{}{}", unanswered.reason,
                  unanswered.found.empty() ? "" : ": ", BoundedText(unanswered.found)));
}

void RequestRouter::CountRelayed(const RelayReply& reply, const CurrentRequest& current) {
  if (reply.status.has_value()) replies_.CountForwarded(*reply.status);
  current.relayed->latency.Record(loop_->RealNow() - current.began);
}

void RequestRouter::RelayFailed(const RelayReply& reply, const CurrentRequest& current,
                                std::string* out) {
  log_->LimitedWarning(
      "relay failures",
      fmt::format("a request for another map type could not be relayed: {}", reply.reason));
  ++current.relayed->failures;
  replies_.Append(current, Status::kRetry, {}, out);
}

}  // namespace proxymux::proxy
