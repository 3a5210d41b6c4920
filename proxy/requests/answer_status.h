// What a lookup's answer is on the wire, and what the log is told of it. Pure.
//
// A lookup that could be answered later is RETRY; a query that the database refuses, and a result
// that its client must not be given, are CONFIG; never BAD or DENY, which end the client process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pgsql/work/work.h"
#include "protocol/dialect.h"
#include "protocol/reply.h"

namespace proxymux::proxy {

// One line for the log, as MessageLog::LimitedWarning takes it.
struct AnswerRemark {
  std::string kind;
  std::string text;
};

struct AnswerStatus {
  protocol::Status status = protocol::Status::kRetry;
  std::vector<AnswerRemark> remarks;  // none of an ordinary answer
};

// `table` is the name of the table that was asked; `utf8_active`: its results have to be valid
// UTF-8.
AnswerStatus StatusOfAnswer(const pgsql::Answer& answer, std::string_view table, bool utf8_active,
                            protocol::Dialect dialect);

}  // namespace proxymux::proxy
