// A text of several statements on its way through a connection, by the simple protocol: it waits
// for the end of the pipeline, leaves pipeline mode and comes back. The last statement's result
// counts.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <utility>

#include "pgsql/libpq/pg_handles.h"

namespace proxymux::pgsql {

struct Work;

class PgScript {
 public:
  bool idle() const { return work_ == nullptr; }
  bool waits() const { return work_ != nullptr && !running_; }
  bool running() const { return running_; }
  Work* work() const { return work_; }

  void Wait(Work* work, const std::string& sql) {
    work_ = work;
    sql_ = sql;
  }
  // Called when the pipeline is empty. False when the connection is broken.
  bool Start(PGconn* connection);
  void Add(PgResultHandle result) { last_ = std::move(result); }
  // Called when everything was answered: the last statement's result. Null when there was no
  // result, or when the connection cannot go back to pipeline mode.
  PgResultHandle TakeLast(PGconn* connection);
  // The script is over, answered or not: gives the work that it was sent for, if there was one.
  Work* End();

 private:
  Work* work_ = nullptr;
  bool running_ = false;
  std::string sql_;
  PgResultHandle last_;
};

}  // namespace proxymux::pgsql
