#include "proxy/requests/table_lookups.h"

#include <fmt/format.h>

#include <chrono>

#include "proxy/requests/answer_status.h"
#include "proxy/requests/bounded_text.h"

namespace proxymux::proxy {
namespace {

using protocol::Status;

// What the answer says about its table.
void Remember(Status status, const pgsql::Answer& answer, pgsql::RealTime now,
              TableFailures* failures) {
  if (status != Status::kOk && status != Status::kNoKey) {
    if (!answer.no_host) failures->OnFailed(answer, now);
  } else if (!answer.origin.host.empty()) {
    failures->OnAnswered();
  }
}

}  // namespace

TableLookups::TableLookups(ReplyWriter* replies, const pgsql::EventLoop* loop, MessageLog* log,
                           bool smtputf8_enable)
    : replies_(replies), loop_(loop), log_(log), smtputf8_enable_(smtputf8_enable), slow_(log) {}

std::optional<PreparedLookup> TableLookups::Begin(const protocol::LookupRequest& request,
                                                  CurrentRequest* current, std::string* out) {
  ServedTable& table = *current->table;
  current->flags = request.flags;
  ++table.counters.lookups;
  if (table.binding == nullptr) {
    log_->LimitedWarning(fmt::format("broken table {}", table.name),
                         fmt::format("table {} cannot be used: {}", table.name, table.reason));
    replies_->Append(*current, Status::kConfig, {}, out);
    return std::nullopt;
  }
  const KeyRules rules = KeyRulesOf(request, current->dialect, smtputf8_enable_);
  current->utf8_active = rules.utf8_active;
  const PreparedKey key = key_preparation_.Prepare(*table.binding->table, request.key, rules);
  if (!key.valid) {
    log_->LimitedWarning(
        fmt::format("invalid key {}", table.name),
        fmt::format("table {}: not found, since the key is not valid UTF-8: \"{}\"", table.name,
                    BoundedText(request.key)));
    ++table.counters.suppressed;
    replies_->Append(*current, Status::kNoKey, {}, out);
    return std::nullopt;
  }
  return PreparedLookup{table.binding,     table.pool,      table.cache, key.key,
                        key.folded_domain, key.preparation, {}};
}

TableLookups::Need TableLookups::Next(const PreparedLookup& lookup, const CurrentRequest& current,
                                      std::string* out) {
  ServedTable& table = *current.table;
  switch (lookup.preparation.kind) {
    case pgsql::Preparation::Kind::kQuery:
      return AnswerFromCache(lookup, current, out) ? Need::kNothing : Need::kServer;
    case pgsql::Preparation::Kind::kNotFound:
      if (lookup.preparation.reason == pgsql::NoQueryReason::kEmptyKey) {
        log_->LimitedWarning(fmt::format("empty key {}", table.name),
                             fmt::format("table {}: lookup of an empty key", table.name));
      }
      ++table.counters.suppressed;
      replies_->Append(current, Status::kNoKey, {}, out);
      return Need::kNothing;
    case pgsql::Preparation::Kind::kNeedTable:
      return Need::kDomainTable;
    case pgsql::Preparation::Kind::kUnavailable:
      break;
  }
  const std::string_view member = lookup.preparation.domain.text;
  log_->LimitedWarning(
      fmt::format("domain list {}", table.name),
      fmt::format("table {}: the domain list cannot be looked up: {}{}{}", table.name, member,
                  lookup.failure.empty() ? "" : ": ", lookup.failure));
  table.failures.OnFailed(fmt::format("the domain list cannot be looked up: {}", member),
                          loop_->RealNow());
  replies_->Append(current, Status::kRetry, {}, out);
  return Need::kNothing;
}

bool TableLookups::AnswerFromCache(const PreparedLookup& lookup, const CurrentRequest& current,
                                   std::string* out) {
  if (lookup.cache == nullptr || lookup.binding->write_class != pgsql::WriteClass::kReads) {
    return false;
  }
  TableCounters& counters = current.table->counters;
  const std::optional<std::string_view> value = lookup.cache->Find(lookup.key, loop_->RealNow());
  if (!value.has_value()) {
    if (lookup.cache->gives_fresh()) ++counters.cache_misses;
    return false;
  }
  ++counters.cache_hits;
  // As if the server had said it. What was odd about the result was logged when it did.
  const pgsql::Answer answer{
      value->empty() ? pgsql::Outcome::kNotFound : pgsql::Outcome::kFound, *value, {}};
  replies_->Append(current, StatusOf(answer, current), *value, out);
  return true;
}

void TableLookups::CountStarted(Coalescer::Started started, const CurrentRequest& current) {
  switch (started) {
    case Coalescer::Started::kAsked:
      return;
    case Coalescer::Started::kJoined:
      ++coalesced_;
      ++current.table->counters.coalesced;
      return;
  }
}

Status TableLookups::StatusOf(const pgsql::Answer& answer, const CurrentRequest& current) {
  const AnswerStatus result =
      StatusOfAnswer(answer, current.table->name, current.utf8_active, current.dialect);
  for (const AnswerRemark& remark : result.remarks) log_->LimitedWarning(remark.kind, remark.text);
  return result.status;
}

std::string_view TableLookups::Finish(const pgsql::Answer& answer, const CurrentRequest& current) {
  const Status status = StatusOf(answer, current);
  const pgsql::RealTime now = loop_->RealNow();
  Remember(status, answer, now, &current.table->failures);
  slow_.Note(answer, current, now);
  return replies_->Late(current, status, answer.value);
}

std::string_view TableLookups::FinishStale(const StaleAnswer& stale,
                                           const CurrentRequest& current) {
  ServedTable& table = *current.table;
  ++table.counters.stale;
  log_->LimitedWarning(
      fmt::format("stale answers {}", table.name),
      fmt::format("table {}: every host is down ({}): a lookup is answered with what was known "
                  "{:.0f} s ago (stale_if_error)",
                  table.name, stale.cause, std::chrono::duration<double>(stale.age).count()));
  return Finish(stale.answer, current);
}

}  // namespace proxymux::proxy
