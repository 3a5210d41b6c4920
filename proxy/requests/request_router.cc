#include "proxy/requests/request_router.h"

#include "protocol/dict_flags.h"
#include "proxy/text/key_fold.h"
#include "proxy/text/utf8.h"

namespace proxymux::proxy {
namespace {

using pgsql::Outcome;
using protocol::RequestKind;
using protocol::Status;

std::string Concat(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// A key, or a table that a client named, as it may stand in a log line: a hostile one must not fill
// the log, nor our memory of what was logged.
std::string_view ShownKey(std::string_view key) { return key.substr(0, 200); }

}  // namespace

void Conversation::Cancel() {
  router_->coalescer_->Cancel(this);
  relay_ticket_.reset();
  question_.reset();
  table_.reset();
}

void Conversation::OnAnswer(const pgsql::Answer& answer) { router_->OnLookupAnswer(this, answer); }

RequestRouter::RequestRouter(const TableRegistry* tables, Coalescer* coalescer, Relay* relay,
                             DomainLookup* domains, const pgsql::EventLoop* loop, MessageLog* log,
                             bool smtputf8_enable)
    : tables_(tables),
      coalescer_(coalescer),
      relay_(relay),
      domains_(domains),
      loop_(loop),
      log_(log),
      smtputf8_enable_(smtputf8_enable) {}

RequestRouter::Handled RequestRouter::Handle(std::string_view bytes,
                                             const protocol::AttributeList& list,
                                             Conversation* conversation, std::string* out) {
  const protocol::ParseResult parsed = protocol::ParseRequest(list, conversation->dialect_);
  if (const auto* request = std::get_if<protocol::Request>(&parsed)) {
    if (request->extra_attributes > 0) {
      log_->LimitedWarning("extra attributes",
                           Concat({"a client sent ", std::to_string(request->extra_attributes),
                                   " unexpected attributes behind a ",
                                   protocol::RequestName(protocol::KindOf(request->operation)),
                                   " request; they are ignored"}));
    }
    conversation->dialect_ = request->dialect;
    return HandleRequest(bytes, *request, conversation, out);
  }
  ++counters_.malformed;
  if (const auto* malformed = std::get_if<protocol::Malformed>(&parsed)) {
    ++counters_.requests.unknown;
    log_->LimitedWarning(
        "malformed requests",
        Concat({"malformed ", protocol::RequestName(malformed->kind),
                " request from a client: ", malformed->reason,
                malformed->attribute.empty() ? "" : ", expected ", malformed->attribute,
                malformed->found.empty() ? "" : ", got ", ShownKey(malformed->found)}));
    protocol::AppendBadReply(malformed->kind, malformed->dialect, out);
    CountReply(Status::kBad);
    return Handled::kReplied;
  }
  const auto& unanswered = std::get<protocol::Unanswered>(parsed);
  log_->LimitedWarning(
      "lists that are no request",
      Concat({"a client sent an attribute list that is no request: ", unanswered.reason,
              unanswered.found.empty() ? "" : ": ", ShownKey(unanswered.found)}));
  return Handled::kIgnored;
}

RequestRouter::Handled RequestRouter::HandleRequest(std::string_view bytes,
                                                    const protocol::Request& request,
                                                    Conversation* conversation, std::string* out) {
  const RequestKind kind = protocol::KindOf(request.operation);
  const std::string_view table = protocol::TableOf(request.operation);
  conversation->kind_ = kind;
  conversation->flags_ = 0;
  conversation->began_ = loop_->RealNow();
  switch (kind) {
    case RequestKind::kOpen:
      ++counters_.requests.open;
      break;
    case RequestKind::kLookup:
      ++counters_.requests.lookup;
      break;
    case RequestKind::kSequence:
      ++counters_.requests.sequence;
      break;
    case RequestKind::kUpdate:
    case RequestKind::kDelete:
      ++(kind == RequestKind::kUpdate ? counters_.requests.update : counters_.requests.remove);
      log_->LimitedWarning(
          "write requests",
          Concat({"refused to ", protocol::RequestName(kind), " in table ", ShownKey(table),
                  ": this service only reads (proxywrite is the one that writes)"}));
      return Answer(conversation, Status::kDeny, {}, out);
    case RequestKind::kUnknown:
      break;
  }
  if (!tables_->Approved(table)) {
    log_->LimitedWarning("unapproved tables",
                         Concat({"table ", ShownKey(table),
                                 " is not approved: to allow it, add proxy:", ShownKey(table),
                                 " to proxy_read_maps in main.cf"}));
    return Answer(conversation, Status::kDeny, {}, out);
  }
  if (!TableRegistry::IsPgsql(table)) return Forward(bytes, request, conversation);
  if (const auto* open = std::get_if<protocol::OpenRequest>(&request.operation)) {
    return Open(*open, conversation, out);
  }
  if (const auto* lookup = std::get_if<protocol::LookupRequest>(&request.operation)) {
    return Lookup(*lookup, conversation, out);
  }
  log_->LimitedWarning(
      Concat({"sequence ", table}),
      Concat({"table ", table, " cannot be listed: pgsql tables have no sequence"}));
  return Answer(conversation, Status::kConfig, {}, out);
}

RequestRouter::Handled RequestRouter::Open(const protocol::OpenRequest& request,
                                           Conversation* conversation, std::string* out) {
  // A broken table opens as a good one does: a client that is told otherwise never again asks it
  // for partial keys.
  conversation->flags_ = protocol::OpenReplyFlags(request.instance_flags, smtputf8_enable_);
  return Answer(conversation, Status::kOk, {}, out);
}

RequestRouter::Handled RequestRouter::Lookup(const protocol::LookupRequest& request,
                                             Conversation* conversation, std::string* out) {
  conversation->flags_ = request.flags;
  conversation->table_ = tables_->Find(request.table);
  ServedTable& table = *conversation->table_;
  ++table.counters.lookups;
  if (table.binding == nullptr) {
    log_->LimitedWarning(Concat({"broken table ", table.name}),
                         Concat({"table ", table.name, " cannot be used: ", table.reason}));
    return Answer(conversation, Status::kConfig, {}, out);
  }

  const bool utf8_active = protocol::Utf8Active(request.instance_flags, smtputf8_enable_);
  conversation->utf8_active_ = utf8_active;
  if (utf8_active && !IsValidUtf8(request.key)) {
    log_->LimitedWarning(
        Concat({"invalid key ", table.name}),
        Concat({"table ", table.name, ": not found, since the key is not valid UTF-8: \"",
                ShownKey(request.key), "\""}));
    ++table.counters.suppressed;
    return Answer(conversation, Status::kNoKey, {}, out);
  }
  std::string_view key = request.key;
  switch (protocol::FoldingOf(request.flags, utf8_active, conversation->dialect_)) {
    case protocol::Folding::kNone:
      break;
    case protocol::Folding::kAscii:
      FoldAscii(key, &folded_key_);
      key = folded_key_;
      break;
    case protocol::Folding::kUnicode:
      if (FoldUtf8(key, &folded_key_)) key = folded_key_;
      break;
  }

  const pgsql::KeyParts parts(key);
  if (!table.binding->table->domain().unrestricted()) {
    FoldDomain(parts.domain(), smtputf8_enable_, &folded_domain_);
  }
  const pgsql::Preparation preparation = table.binding->table->Prepare(parts, folded_domain_);
  return Proceed({table.binding, table.pool, table.cache, key, folded_domain_, preparation, {}},
                 conversation, out);
}

RequestRouter::Handled RequestRouter::Proceed(const Prepared& lookup, Conversation* conversation,
                                              std::string* out) {
  ServedTable& table = *conversation->table_;
  switch (lookup.preparation.kind) {
    case pgsql::Preparation::Kind::kQuery:
      break;
    case pgsql::Preparation::Kind::kNotFound:
      if (lookup.preparation.reason == pgsql::NoQueryReason::kEmptyKey) {
        log_->LimitedWarning(Concat({"empty key ", table.name}),
                             Concat({"table ", table.name, ": lookup of an empty key"}));
      }
      ++table.counters.suppressed;
      return Answer(conversation, Status::kNoKey, {}, out);
    case pgsql::Preparation::Kind::kNeedTable:
      return AskDomainTable(lookup, conversation);
    case pgsql::Preparation::Kind::kUnavailable:
      log_->LimitedWarning(Concat({"domain list ", table.name}),
                           Concat({"table ", table.name, ": the domain list cannot be looked up: ",
                                   lookup.preparation.domain.text,
                                   lookup.failure.empty() ? "" : ": ", lookup.failure}));
      table.failures.OnFailed(
          Concat({"the domain list cannot be looked up: ", lookup.preparation.domain.text}));
      return Answer(conversation, Status::kRetry, {}, out);
  }
  if (lookup.cache != nullptr) {
    if (const auto handled = AnswerFromCache(lookup, conversation, out)) return *handled;
  }
  if (coalescer_->Lookup(lookup.binding, lookup.pool, lookup.key, conversation, lookup.cache) ==
      Coalescer::Started::kJoined) {
    ++counters_.coalesced;
    ++table.counters.coalesced;
  }
  return Handled::kPending;
}

RequestRouter::Handled RequestRouter::Forward(std::string_view bytes,
                                              const protocol::Request& request,
                                              Conversation* conversation) {
  RelayRequest forwarded;
  forwarded.list = bytes;
  forwarded.table = protocol::TableOf(request.operation);
  forwarded.kind = conversation->kind_;
  forwarded.dialect = conversation->dialect_;
  if (const auto* lookup = std::get_if<protocol::LookupRequest>(&request.operation)) {
    conversation->flags_ = lookup->flags;
  }
  if (const auto* sequence = std::get_if<protocol::SequenceRequest>(&request.operation)) {
    forwarded.step = sequence->function == protocol::SequenceFunction::kFirst ? SequenceStep::kFirst
                                                                              : SequenceStep::kNext;
    if (conversation->lease_ == nullptr) conversation->lease_ = relay_->NewLease();
  }
  SequenceLease* lease =
      forwarded.step == SequenceStep::kNone ? nullptr : conversation->lease_.get();
  conversation->relay_ticket_ =
      relay_->Submit(std::move(forwarded), lease,
                     [this, conversation](RelayReply reply) { OnRelayReply(conversation, reply); });
  return Handled::kPending;
}

void RequestRouter::OnRelayReply(Conversation* conversation, const RelayReply& reply) {
  // The ticket goes first: from here on the conversation may be given its next request.
  const std::unique_ptr<RelayTicket> ticket = std::move(conversation->relay_ticket_);
  if (reply.outcome == RelayOutcome::kReplied) {
    if (reply.status.has_value()) CountReply(*reply.status);
    conversation->sink_->OnReply(reply.reply);
    return;
  }
  log_->LimitedWarning(
      "relay failures",
      Concat({"a request for another map type could not be relayed: ", reply.reason}));
  std::string late_reply;
  Answer(conversation, Status::kRetry, {}, &late_reply);
  conversation->sink_->OnReply(late_reply);
}

RequestRouter::Handled RequestRouter::Answer(Conversation* conversation, Status status,
                                             std::string_view value, std::string* out) {
  protocol::Reply reply;
  reply.status = status;
  reply.flags = conversation->flags_;
  reply.value = value;
  protocol::AppendReply(conversation->kind_, conversation->dialect_, reply, out);
  CountReply(status);
  if (conversation->table_ != nullptr) {
    ServedTable& table = *conversation->table_;
    CountTable(&table, status);
    table.counters.latency.Record(loop_->RealNow() - conversation->began_);
    conversation->table_.reset();
  }
  return Handled::kReplied;
}

Status RequestRouter::StatusOf(Conversation* conversation, const pgsql::Answer& answer) {
  const std::string& name = conversation->table_->name;
  switch (answer.outcome) {
    case Outcome::kFound:
      if (!answer.reason.empty()) {
        log_->LimitedWarning(Concat({"odd result ", name}),
                             Concat({"table ", name, ": ", answer.reason}));
      }
      // In the older dialect the value is sent, and the client makes it the same error.
      if (conversation->utf8_active_ && conversation->dialect_ != protocol::Dialect::kLegacy &&
          !IsValidUtf8(answer.value)) {
        log_->LimitedWarning(Concat({"invalid result ", name}),
                             Concat({"table ", name, ": the result is not valid UTF-8"}));
        return Status::kConfig;
      }
      return Status::kOk;
    case Outcome::kNotFound:
      if (!answer.reason.empty()) {
        log_->LimitedWarning(Concat({"no answer ", name}),
                             Concat({"table ", name, ": no result: ", answer.reason}));
      }
      return Status::kNoKey;
    case Outcome::kRetry:
      log_->LimitedWarning(Concat({"lookup failed ", name}),
                           Concat({"table ", name, ": lookup failed for now: ", answer.reason}));
      return Status::kRetry;
    case Outcome::kConfig:
      log_->LimitedWarning(
          Concat({"query refused ", name}),
          Concat({"table ", name, ": the database refuses the query: ", answer.reason}));
      return Status::kConfig;
  }
  return Status::kRetry;
}

void RequestRouter::Remember(TableFailures* failures, Status status, const pgsql::Answer& answer) {
  if (status != Status::kOk && status != Status::kNoKey) {
    if (!answer.no_host) failures->OnFailed(answer);
  } else if (!answer.origin.host.empty()) {
    failures->OnAnswered();
  }
}

void RequestRouter::OnLookupAnswer(Conversation* conversation, const pgsql::Answer& answer) {
  const Status status = StatusOf(conversation, answer);
  Remember(&conversation->table_->failures, status, answer);
  late_reply_.clear();
  Answer(conversation, status, status == Status::kOk ? answer.value : std::string_view(),
         &late_reply_);
  // The sink may be fed its next request, and that may come back here: nothing of ours is used
  // after this.
  conversation->sink_->OnReply(late_reply_);
}

void RequestRouter::CountTable(ServedTable* table, Status status) {
  switch (status) {
    case Status::kOk:
      ++table->counters.found;
      return;
    case Status::kNoKey:
      ++table->counters.not_found;
      return;
    case Status::kRetry:
      ++table->counters.retry;
      return;
    case Status::kConfig:
      ++table->counters.config;
      return;
    case Status::kBad:
    case Status::kDeny:
      return;
  }
}

void RequestRouter::CountReply(Status status) {
  switch (status) {
    case Status::kOk:
      ++counters_.replies.ok;
      return;
    case Status::kNoKey:
      ++counters_.replies.not_found;
      return;
    case Status::kRetry:
      ++counters_.replies.retry;
      return;
    case Status::kBad:
      ++counters_.replies.bad;
      return;
    case Status::kDeny:
      ++counters_.replies.deny;
      return;
    case Status::kConfig:
      ++counters_.replies.config;
      return;
  }
}

}  // namespace proxymux::proxy
