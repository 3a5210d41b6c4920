// For a lookup whose answer nobody looks at.
#pragma once

#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class NobodysSink final : public LookupSink {
 public:
  void OnAnswer(const Answer&) override {}
};

}  // namespace proxymux::pgsql
