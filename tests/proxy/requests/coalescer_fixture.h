// A Coalescer over a real pool on a played database server, and those who ask it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/requests/coalescer.h"
#include "tests/fakes/scripted_upstream.h"
#include "tests/fakes/virtual_event_loop.h"
#include "tests/proxy/requests/router_world.h"

namespace proxymux::proxy {

using Started = Coalescer::Started;

inline constexpr char kSharedQuery[] = "query = SELECT a FROM t WHERE b = '%s'\n";

class Asker final : public Coalescer::Waiter {
 public:
  Asker() = default;
  explicit Asker(std::string name, std::vector<std::string>* order)
      : name_(std::move(name)), order_(order) {}
  void OnAnswer(const pgsql::Answer& answer) override {
    EXPECT_FALSE(waiting()) << "it may ask again from here";
    answers.push_back(answer.outcome == pgsql::Outcome::kFound
                          ? std::string(answer.value)
                          : "(" + std::string(answer.reason) + ")");
    if (order_ != nullptr) order_->push_back(name_);
    if (then) std::exchange(then, nullptr)();
  }
  void OnStaleAnswer(const StaleAnswer& stale) override {
    ages.push_back(stale.age);
    causes.emplace_back(stale.cause);
    OnAnswer(stale.answer);
  }
  std::vector<std::string> answers;
  std::vector<pgsql::Duration> ages;  // of those that were stale
  std::vector<std::string> causes;
  std::function<void()> then;

 private:
  std::string name_;
  std::vector<std::string>* order_ = nullptr;
};

class CoalescerTest : public ::testing::Test {
 protected:
  explicit CoalescerTest(config::Milliseconds outage_wait = {})
      : world_(&loop_, {}, true, outage_wait) {}
  ~CoalescerTest() override {
    EXPECT_EQ(world_.coalescer.flights(), 0u);
    loop_.EndTurn();
  }
  Started Ask(Asker* asker, const std::string& key) {
    return world_.coalescer.Lookup(binding_, world_.pool, key, asker, cache_);
  }
  void Settle() {
    loop_.EndTurn();
    world_.factory.Settle();
    loop_.EndTurn();
  }

  fakes::VirtualEventLoop loop_;
  RouterWorld world_;
  std::shared_ptr<pgsql::TableBinding> binding_ = Bind("pgsql:/a.cf", kSharedQuery);
  std::shared_ptr<AnswerCache> cache_;  // null but in the tests of stale answers
};

}  // namespace proxymux::proxy
