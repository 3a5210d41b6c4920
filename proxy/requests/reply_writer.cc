#include "proxy/requests/reply_writer.h"

namespace proxymux::proxy {
namespace {

using protocol::Status;

void CountInTable(Status status, TableCounters* counters) {
  switch (status) {
    case Status::kOk:
      ++counters->found;
      return;
    case Status::kNoKey:
      ++counters->not_found;
      return;
    case Status::kRetry:
      ++counters->retry;
      return;
    case Status::kConfig:
      ++counters->config;
      return;
    case Status::kBad:
    case Status::kDeny:
      return;
  }
}

}  // namespace

void ReplyWriter::Append(const CurrentRequest& request, Status status, std::string_view value,
                         std::string* out) {
  protocol::Reply reply;
  reply.status = status;
  reply.flags = request.flags;
  if (status == Status::kOk) reply.value = value;
  protocol::AppendReply(request.kind, request.dialect, reply, out);
  Count(status);
  if (request.table == nullptr) return;
  TableCounters& counters = request.table->counters;
  CountInTable(status, &counters);
  // What failed at once would make the others look faster.
  if (status == Status::kOk || status == Status::kNoKey) {
    counters.latency.Record(loop_->RealNow() - request.began);
  }
}

std::string_view ReplyWriter::Late(const CurrentRequest& request, Status status,
                                   std::string_view value) {
  late_.clear();
  Append(request, status, value, &late_);
  return late_;
}

void ReplyWriter::AppendBad(protocol::RequestKind kind, protocol::Dialect dialect,
                            std::string* out) {
  protocol::AppendBadReply(kind, dialect, out);
  Count(Status::kBad);
}

void ReplyWriter::Count(Status status) {
  switch (status) {
    case Status::kOk:
      ++counts_.ok;
      return;
    case Status::kNoKey:
      ++counts_.not_found;
      return;
    case Status::kRetry:
      ++counts_.retry;
      return;
    case Status::kBad:
      ++counts_.bad;
      return;
    case Status::kDeny:
      ++counts_.deny;
      return;
    case Status::kConfig:
      ++counts_.config;
      return;
  }
}

}  // namespace proxymux::proxy
