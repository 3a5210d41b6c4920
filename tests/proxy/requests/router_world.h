// A RequestRouter with everything behind it, for tests: real tables, a real pool on a played
// database server, a relay that the test answers, and the log to be read.
#pragma once

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "protocol/reply_parser.h"
#include "proxy/log/message_log.h"
#include "proxy/relay/domain_lookup.h"
#include "proxy/requests/coalescer.h"
#include "proxy/requests/request_router.h"
#include "proxy/tables/pool_log.h"
#include "proxy/tables/table_registry.h"
#include "tests/fakes/scripted_upstream.h"
#include "tests/pgsql/table/compiled_tables.h"
#include "tests/protocol/attribute_text.h"
#include "tests/proxy/log/log_capture.h"

namespace proxymux::proxy {

using protocol::List;
using protocol::Shown;

// The stock proxymap as the test plays it.
class ScriptedRelay final : public Relay {
 public:
  struct Asked {
    RelayRequest request;
    SequenceLease* lease;
    Done done;
    bool wanted = true;
  };

  std::unique_ptr<SequenceLease> NewLease() override {
    ++leases_;
    return std::make_unique<Lease>(this);
  }
  std::unique_ptr<RelayTicket> Submit(RelayRequest request, SequenceLease* lease,
                                      Done done) override {
    asked_.push_back({std::move(request), lease, std::move(done)});
    return std::make_unique<Ticket>(&asked_.back());
  }
  RelayStatus Status() const override { return {}; }
  void Drain() override { drained = true; }
  void Stop(std::function<void()> stopped) override {
    EXPECT_EQ(stopping, nullptr) << "Stop() twice";
    stopping = std::move(stopped);
    if (ends_at_once) stopping();
  }
  bool drained = false;
  std::function<void()> stopping;  // null until Stop()
  bool ends_at_once = true;

  // In the order in which they came; the n-th from 0.
  Asked& asked(std::size_t n) { return *std::next(asked_.begin(), static_cast<long>(n)); }
  std::size_t count() const { return asked_.size(); }
  int leases() const { return leases_; }
  void Reply(std::size_t n, std::string reply) {
    const RelayRequest& request = asked(n).request;
    RelayReply told;
    told.outcome = RelayOutcome::kReplied;
    told.reply = reply;
    if (const auto head = HeadOf(reply, request.kind, request.dialect)) {
      told.status = head->status;
      told.flags = head->flags;
    }
    asked(n).done(std::move(told));
  }
  void Fail(std::size_t n, std::string reason) {
    asked(n).done({RelayOutcome::kFailed, {}, std::move(reason), {}, 0});
  }

 private:
  static std::optional<protocol::ReplyHead> HeadOf(const std::string& reply,
                                                   protocol::RequestKind kind,
                                                   protocol::Dialect dialect) {
    protocol::AttributeDecoder decoder(reply.size());
    protocol::AttributeList list;
    std::size_t size = 0;
    if (decoder.Decode(reply, &list, &size) != protocol::AttributeDecoder::Result::kList) {
      return std::nullopt;
    }
    const auto parsed = protocol::ParseReply(list, kind, dialect);
    if (!parsed.has_value()) return std::nullopt;
    return protocol::ReplyHead{parsed->status, parsed->flags};
  }

  struct Ticket final : RelayTicket {
    explicit Ticket(Asked* asked) : asked(asked) {}
    ~Ticket() override { asked->wanted = false; }
    Asked* asked;
  };
  struct Lease final : SequenceLease {
    explicit Lease(ScriptedRelay* relay) : relay(relay) {}
    ~Lease() override { --relay->leases_; }
    ScriptedRelay* relay;
  };
  std::list<Asked> asked_;
  int leases_ = 0;
};

// The tables that domain lists name, as the test plays them.
class ScriptedDomains final : public DomainLookup {
 public:
  struct Asked {
    std::string member;
    std::string domain;
    Done done;
    bool wanted = true;
  };

  std::unique_ptr<RelayTicket> Ask(std::string_view member, std::string_view folded_domain,
                                   Done done) override {
    asked_.push_back({std::string(member), std::string(folded_domain), std::move(done)});
    return std::make_unique<Ticket>(&asked_.back());
  }

  std::size_t count() const { return asked_.size(); }
  Asked& asked(std::size_t n) { return *std::next(asked_.begin(), static_cast<long>(n)); }
  Asked& last() { return asked_.back(); }
  void Answer(std::size_t n, DomainAnswer::Kind kind, std::string reason = {}) {
    EXPECT_TRUE(asked(n).wanted);
    asked(n).done({kind, std::move(reason)});
  }

 private:
  struct Ticket final : RelayTicket {
    explicit Ticket(Asked* asked) : asked(asked) {}
    ~Ticket() override { asked->wanted = false; }
    Asked* asked;
  };
  std::list<Asked> asked_;
};

// What a table file says, ready to be looked up.
inline std::shared_ptr<pgsql::TableBinding> Bind(const std::string& name, const std::string& text,
                                                 const config::TableSettings& settings = {}) {
  auto binding = std::make_shared<pgsql::TableBinding>();
  binding->name = name;
  binding->table = pgsql::Compiled(pgsql::TableOfFile(text, name), settings);
  binding->settings = settings;
  binding->write_class = binding->table->statement_class().may_write ? pgsql::WriteClass::kMayWrite
                                                                     : pgsql::WriteClass::kReads;
  binding->service_time.Record(std::chrono::milliseconds(1));
  return binding;
}

struct RouterWorld {
  explicit RouterWorld(pgsql::EventLoop* loop, std::set<std::string, std::less<>> approved = {},
                       bool smtputf8_enable = true, config::Milliseconds outage_wait = {})
      : log(lines.logger(), loop),
        pool_log(&log),
        factory(1),
        pool(std::make_shared<pgsql::ConnectionPool>(Config(outage_wait), &factory, loop, &pool_log,
                                                     1)),
        registry(std::move(approved)),
        coalescer(loop),
        router(&registry, &coalescer, &relay, &domains, loop, &log, smtputf8_enable) {}

  static pgsql::PoolConfig Config(config::Milliseconds outage_wait) {
    pgsql::PoolConfig config;
    config.name = "db1/mail";
    config.hosts.emplace_back(pgsql::HostKind::kTcp, "db1", std::chrono::seconds(60));
    config.settings.connections = 1;
    config.settings.outage_wait = outage_wait;
    config.settings.stall_limit = config::Milliseconds(0);  // the tests let servers take their time
    return config;
  }

  ServedTable& Add(const std::string& name, const std::string& text) {
    auto table = std::make_shared<ServedTable>();
    table->name = name;
    table->binding = Bind(name, text);
    table->pool = pool;
    table->state = TableState::kOk;
    registry.Add(table);
    return *table;
  }
  ServedTable& AddBroken(const std::string& name, const std::string& reason) {
    auto table = std::make_shared<ServedTable>();
    table->name = name;
    table->reason = reason;
    registry.Add(table);
    return *table;
  }

  fakes::ScriptedUpstream& connection() {
    EXPECT_EQ(factory.Open().size(), 1u);
    return *factory.Open().at(0);
  }

  LogCapture lines;
  MessageLog log;
  PoolLog pool_log;
  fakes::ScriptedFactory factory;
  std::shared_ptr<pgsql::ConnectionPool> pool;
  TableRegistry registry;
  ScriptedRelay relay;
  ScriptedDomains domains;
  Coalescer coalescer;
  RequestRouter router;
};

}  // namespace proxymux::proxy
