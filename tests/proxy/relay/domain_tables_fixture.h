// The tables of domain lists over relays that the test answers, and those who ask.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "protocol/dialect.h"
#include "proxy/relay/domain_lookup.h"
#include "proxy/relay/domain_tables.h"
#include "proxy/relay/relay.h"
#include "tests/fakes/virtual_event_loop.h"
#include "tests/proxy/requests/router_world.h"

namespace proxymux::proxy {

inline constexpr char kHash[] = "hash:/h";

// Hands its calls on to a played relay, which the test still sees when this one is gone.
class RelayHandle final : public Relay {
 public:
  RelayHandle(ScriptedRelay* relay, bool* exists) : relay_(relay), exists_(exists) {
    *exists_ = true;
  }
  ~RelayHandle() override { *exists_ = false; }
  std::unique_ptr<SequenceLease> NewLease() override { return relay_->NewLease(); }
  std::unique_ptr<RelayTicket> Submit(RelayRequest request, SequenceLease* lease,
                                      Done done) override {
    return relay_->Submit(std::move(request), lease, std::move(done));
  }
  RelayStatus Status() const override { return relay_->Status(); }
  void Drain() override { relay_->Drain(); }
  void Stop(std::function<void()> stopped) override { relay_->Stop(std::move(stopped)); }

 private:
  ScriptedRelay* const relay_;
  bool* const exists_;
};

class DomainTablesTest : public ::testing::Test {
 protected:
  using Kind = DomainAnswer::Kind;
  struct Made {
    std::string table;
    ScriptedRelay relay;
    bool exists = false;
  };
  struct Question {
    std::unique_ptr<RelayTicket> ticket;
    std::optional<DomainAnswer> answer;
  };

  void Make(protocol::Dialect dialect) {
    tables_ = std::make_unique<DomainTables>(
        dialect,
        [this](const std::string& table) {
          made_.emplace_back();
          made_.back().table = table;
          return std::make_unique<RelayHandle>(&made_.back().relay, &made_.back().exists);
        },
        &loop_);
  }
  DomainTablesTest() { Make(protocol::Dialect::kLegacy); }

  std::unique_ptr<Question> Ask(const std::string& member, const std::string& domain = "a") {
    auto question = std::make_unique<Question>();
    question->ticket =
        tables_->Ask(member, domain, [to = question.get()](const DomainAnswer& answer) {
          EXPECT_FALSE(to->answer.has_value()) << "answered twice";
          to->answer = answer;
          to->ticket.reset();  // as the router does
        });
    EXPECT_FALSE(question->answer.has_value()) << "answered from inside Ask()";
    return question;
  }
  Made& made(std::size_t n) { return *std::next(made_.begin(), static_cast<long>(n)); }
  static std::string Reply(int status, const std::string& value = {}) {
    return List({{"status", std::to_string(status)}, {"value", value}});
  }
  // One question, answered so.
  DomainAnswer Answered(const std::string& reply) {
    const auto question = Ask(kHash);
    ScriptedRelay& relay = made_.back().relay;
    relay.Reply(relay.count() - 1, reply);
    return question->answer.value();
  }

  fakes::VirtualEventLoop loop_;
  std::list<Made> made_;
  std::unique_ptr<DomainTables> tables_;
};

}  // namespace proxymux::proxy
