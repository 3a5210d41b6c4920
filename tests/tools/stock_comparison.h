// The part of the demonstration that puts proxymux beside the stock proxymap: the same load on one
// after the other, with both mirrors and with one of them stopped in the middle.
#pragma once

#include <string>

#include "tests/harness/deadline.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/postfix_instance.h"
#include "tests/tools/demo_servers.h"
#include "tests/tools/narration.h"

namespace proxymux::tools {

class StockComparison {
 public:
  // Everything in `servers` was started but for stock's Postfix. Both arguments must outlive it.
  StockComparison(DemoServers* servers, Narration* narration)
      : servers_(*servers), narration_(*narration) {}

  void CompareConnections();
  void StopOneMirror();
  void ShowTable() const;  // what the two before have found

 private:
  struct Measurement {
    harness::LoadReport report;
    int connections = 0;  // to the databases, the most seen at once
  };

  harness::LoadOptions Load(const harness::PostfixInstance& instance);
  int Connections(bool ours);
  void Watch(Measurement& measurement, harness::seconds duration, bool ours);
  Measurement MeasureLoad(const harness::PostfixInstance& instance);
  Measurement MeasureLoss(const harness::PostfixInstance& instance);
  void StopStock();
  std::string LogTail() const;

  DemoServers& servers_;
  Narration& narration_;
  int deliveries_ = 0;
  Measurement stock_load_, load_, stock_loss_, loss_;
};

}  // namespace proxymux::tools
