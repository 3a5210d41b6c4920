// How many bytes have come for a result that is not complete yet. Nothing is counted for small
// results, which come in a few reads.
#pragma once

#include <libpq-fe.h>

#include <cstddef>

namespace proxymux::pgsql {

class ReceivedBytes {
 public:
  // Around each reading.
  void BeginRead(const PGconn* connection);
  void EndRead(const PGconn* connection);
  // A result is complete, or none is under way.
  void OnResult() { *this = {}; }

  std::size_t count() const { return count_; }

 private:
  int reads_ = 0;
  std::size_t waiting_ = 0;  // in the kernel, before the reading
  std::size_t count_ = 0;
};

}  // namespace proxymux::pgsql
