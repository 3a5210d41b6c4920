#include "proxy/relay/stock_requests.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace proxymux::proxy {
namespace {

using Id = StockRequests::Id;

constexpr StockRequests::Time kNow{std::chrono::hours(1)};
constexpr std::chrono::seconds kSecond{1};

Id Waiting(StockRequests* requests, const char* table, StockRequests::Time deadline = kNow) {
  const Id id = requests->Add({table, SequenceStep::kNone, StockLeases::kNoLease, deadline});
  requests->Wait(id);
  return id;
}

std::vector<Id> Queue(const StockRequests& requests) {
  std::vector<Id> ids;
  for (const auto& [id, request] : requests.waiting()) ids.push_back(id);
  return ids;
}

TEST(StockRequests, OneThatComesBackFromASlotHasItsOldPlace) {
  StockRequests requests;
  const Id first = Waiting(&requests, "a");
  const Id second = Waiting(&requests, "b");
  requests.Start(first);
  EXPECT_EQ(Queue(requests), std::vector<Id>{second});
  EXPECT_EQ(requests.Get(first).attempts, 1);
  requests.Leave(first);
  requests.Wait(first);
  EXPECT_EQ(Queue(requests), (std::vector<Id>{first, second}));
}

std::vector<Id> Heads(const StockRequests& requests) {
  std::vector<Id> ids;
  for (auto id = requests.NextHead(0); id.has_value(); id = requests.NextHead(*id)) {
    ids.push_back(*id);
  }
  return ids;
}

TEST(StockRequests, LookupsOfATableStandInOneLineAndEachSequenceAlone) {
  StockRequests requests;
  const Id a = Waiting(&requests, "a");
  const Id behind = Waiting(&requests, "a");
  const Id b = Waiting(&requests, "b");
  std::vector<Id> sequences;
  for (const StockLeases::LeaseId lease : {7u, 8u}) {
    sequences.push_back(requests.Add({"a", SequenceStep::kFirst, lease, kNow}));
    requests.Wait(sequences.back());
  }
  EXPECT_EQ(Heads(requests), (std::vector<Id>{a, b, sequences[0], sequences[1]}));
  EXPECT_EQ(requests.LineOf(a).size(), 2u);
  requests.Start(a);
  EXPECT_EQ(Heads(requests), (std::vector<Id>{behind, b, sequences[0], sequences[1]}));
  requests.Leave(a);
  requests.Wait(a);  // again, at its old place
  EXPECT_EQ(Heads(requests), (std::vector<Id>{a, b, sequences[0], sequences[1]}));
  EXPECT_TRUE(requests.Abandon(b));
  EXPECT_TRUE(requests.Abandon(behind));
  EXPECT_EQ(Heads(requests), (std::vector<Id>{a, sequences[0], sequences[1]}));
  EXPECT_EQ(requests.TakeExpired(kNow), a);
  EXPECT_EQ(Heads(requests), sequences);
  EXPECT_EQ(requests.TakeWaiting(), sequences);
  EXPECT_EQ(Heads(requests), std::vector<Id>());
}

TEST(StockRequests, ATableIsWorkedOnAsLongAsOneOfItsRequestsIsOnASlot) {
  StockRequests requests;
  const Id first = Waiting(&requests, "a");
  const Id second = Waiting(&requests, "a");
  EXPECT_FALSE(requests.WorkedOn("a"));
  requests.Start(first);
  requests.Start(second);
  requests.Leave(first);
  EXPECT_TRUE(requests.WorkedOn("a"));
  requests.Leave(second);
  EXPECT_FALSE(requests.WorkedOn("a"));
}

TEST(StockRequests, WhatIsGivenUpLeavesTheQueueAtOnceAndASlotOnlyWhenItHasDone) {
  StockRequests requests;
  const Id waiting = Waiting(&requests, "a");
  const Id running = Waiting(&requests, "a");
  requests.Start(running);
  EXPECT_TRUE(requests.Abandon(waiting));
  EXPECT_FALSE(requests.Abandon(waiting)) << "it is not known any more";
  EXPECT_FALSE(requests.Abandon(running));
  EXPECT_TRUE(requests.Get(running).abandoned);
}

TEST(StockRequests, TheOldestExpireFirst) {
  StockRequests requests;
  const Id first = Waiting(&requests, "a", kNow);
  const Id second = Waiting(&requests, "a", kNow + kSecond);
  EXPECT_EQ(requests.TakeExpired(kNow - kSecond), std::nullopt);
  EXPECT_EQ(requests.TakeExpired(kNow), first);
  EXPECT_EQ(requests.TakeExpired(kNow), std::nullopt);
  EXPECT_EQ(requests.TakeWaiting(), std::vector<Id>{second});
  EXPECT_TRUE(requests.waiting().empty());
}

}  // namespace
}  // namespace proxymux::proxy
