// Lookups in tables that keep answers: those that need no server, and those that none can answer.
#include <fmt/format.h>

#include <chrono>

#include "proxy/requests/request_router.h"

namespace proxymux::proxy {

void Conversation::OnStaleAnswer(const StaleAnswer& stale) { router_->OnStaleAnswer(this, stale); }

std::optional<RequestRouter::Handled> RequestRouter::AnswerFromCache(const Prepared& lookup,
                                                                     Conversation* conversation,
                                                                     std::string* out) {
  if (lookup.binding->write_class != pgsql::WriteClass::kReads) return std::nullopt;
  TableCounters& counters = conversation->table_->counters;
  const std::optional<std::string_view> value = lookup.cache->Find(lookup.key, loop_->RealNow());
  if (!value.has_value()) {
    if (lookup.cache->gives_fresh()) ++counters.cache_misses;
    return std::nullopt;
  }
  ++counters.cache_hits;
  // As if the server had said it. What was odd about the result was logged when it did.
  const pgsql::Answer answer{
      value->empty() ? pgsql::Outcome::kNotFound : pgsql::Outcome::kFound, *value, {}};
  const protocol::Status status = StatusOf(conversation, answer);
  return Answer(conversation, status, status == protocol::Status::kOk ? *value : std::string_view(),
                out);
}

void RequestRouter::OnStaleAnswer(Conversation* conversation, const StaleAnswer& stale) {
  ServedTable& table = *conversation->table_;
  ++table.counters.stale;
  log_->LimitedWarning(
      fmt::format("stale answers {}", table.name),
      fmt::format("table {}: every host is down ({}): a lookup is answered with what was known "
                  "{:.0f} s ago (stale_if_error)",
                  table.name, stale.cause, std::chrono::duration<double>(stale.age).count()));
  OnLookupAnswer(conversation, stale.answer);
}

}  // namespace proxymux::proxy
