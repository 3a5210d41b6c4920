// Lookups in pgsql tables, but for the waiting: what one needs to be answered, and what its answer
// comes to.
//
// Begin() prepares the key, Next() says what is needed: nothing (the reply is written), a table
// that the domain list names, or the server. Conversation asks these and waits; then it comes back
// with Next() or Finish(). Holds nothing of a single lookup but the buffers of the key that Begin()
// prepared last.
//
// The counters and failures of the table are changed here and by ReplyWriter; what is odd is
// logged. A broken table is CONFIG and takes no other with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"
#include "protocol/request.h"
#include "proxy/log/message_log.h"
#include "proxy/requests/coalescer.h"
#include "proxy/requests/current_request.h"
#include "proxy/requests/prepared_lookup.h"
#include "proxy/requests/reply_writer.h"
#include "proxy/requests/slow_lookups.h"
#include "proxy/tables/key_preparation.h"

namespace proxymux::proxy {

class TableLookups {
 public:
  // All must outlive it.
  TableLookups(ReplyWriter* replies, const pgsql::EventLoop* loop, MessageLog* log,
               bool smtputf8_enable);

  // `current->table` is the one that is asked. Nothing: the reply was appended.
  std::optional<PreparedLookup> Begin(const protocol::LookupRequest& request,
                                      CurrentRequest* current, std::string* out);

  enum class Need {
    kNothing,      // the reply was appended
    kDomainTable,  // what the table `preparation.domain.text` says of `folded_domain`
    kServer,
  };
  Need Next(const PreparedLookup& lookup, const CurrentRequest& current, std::string* out);

  // The server is asked, by this lookup or by an equal one.
  void CountStarted(Coalescer::Started started, const CurrentRequest& current);

  // The reply to a lookup that was answered; good until the next call of either.
  std::string_view Finish(const pgsql::Answer& answer, const CurrentRequest& current);
  std::string_view FinishStale(const StaleAnswer& stale, const CurrentRequest& current);

  std::uint64_t coalesced() const { return coalesced_; }  // joined an equal one
  SlowLookups& slow() { return slow_; }

 private:
  bool AnswerFromCache(const PreparedLookup& lookup, const CurrentRequest& current,
                       std::string* out);
  protocol::Status StatusOf(const pgsql::Answer& answer, const CurrentRequest& current);

  ReplyWriter* const replies_;
  const pgsql::EventLoop* const loop_;
  MessageLog* const log_;
  const bool smtputf8_enable_;
  KeyPreparation key_preparation_;
  SlowLookups slow_;
  std::uint64_t coalesced_ = 0;
};

}  // namespace proxymux::proxy
