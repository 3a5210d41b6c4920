#include "proxy/requests/answer_status.h"

#include <fmt/format.h>

#include "proxy/text/utf8.h"

namespace proxymux::proxy {

using pgsql::Outcome;
using protocol::Status;

AnswerStatus StatusOfAnswer(const pgsql::Answer& answer, std::string_view table, bool utf8_active,
                            protocol::Dialect dialect) {
  AnswerStatus result;
  switch (answer.outcome) {
    case Outcome::kFound:
      result.status = Status::kOk;
      if (!answer.reason.empty()) {
        result.remarks.push_back({fmt::format("odd result {}", table),
                                  fmt::format("table {}: {}", table, answer.reason)});
      }
      // In the older dialect the value is sent, and the client makes it the same error.
      if (utf8_active && dialect != protocol::Dialect::kLegacy && !IsValidUtf8(answer.value)) {
        result.status = Status::kConfig;
        result.remarks.push_back({fmt::format("invalid result {}", table),
                                  fmt::format("table {}: the result is not valid UTF-8", table)});
      }
      return result;
    case Outcome::kNotFound:
      result.status = Status::kNoKey;
      if (!answer.reason.empty()) {
        result.remarks.push_back({fmt::format("no answer {}", table),
                                  fmt::format("table {}: no result: {}", table, answer.reason)});
      }
      return result;
    case Outcome::kRetry:
      result.status = Status::kRetry;
      result.remarks.push_back(
          {fmt::format("lookup failed {}", table),
           fmt::format("table {}: lookup failed for now: {}", table, answer.reason)});
      return result;
    case Outcome::kConfig:
      result.status = Status::kConfig;
      result.remarks.push_back(
          {fmt::format("query refused {}", table),
           fmt::format("table {}: the database refuses the query: {}", table, answer.reason)});
      return result;
  }
  return result;
}

}  // namespace proxymux::proxy
