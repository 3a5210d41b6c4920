// What a mirror does that is broken, or has a broken network in front of it, is not seen by the
// clients: not while there is another mirror, and never as a wrong answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "tests/drills/mail_drill.h"
#include "tests/harness/pg_bouncer.h"
#include "tests/harness/tcp_gate.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::LoadReport;
using harness::milliseconds;
using harness::seconds;
using harness::TcpGate;

const int kSeeds = Thorough() ? 10 : 5;
const int kSeedsOfHeaders = Thorough() ? 6 : 3;

// Garbage may look like the beginning of a long message, in a login as well: the attempt to connect
// that waits for the rest ends with connect_timeout, here the default or that of kAlone.
constexpr double kBackFromGarbageMs = kBackMs + 3000;

// Alone there is nobody to ask meanwhile: what is silent is given up after query_timeout, here 1 s,
// and as long again when the server does not take the cancel request either. That may be another's
// statement, more than once; what bounds the wait is lookup_timeout.
constexpr char kAlone[] =
    "table: {query_timeout: 1s, lookup_timeout: 5s}\npool: {connect_timeout: 1s}\n";
constexpr double kAloneMs = 5000 + kAtOnceMs;
// The same with time for a machine that is slow to end the trouble.
constexpr char kAlonePatient[] =
    "table: {query_timeout: 1s, lookup_timeout: 2m}\n"
    "pool: {connect_timeout: 1s, outage_wait: 1m}\n";

class GateDrill : public MailDrill {
 protected:
  using Trouble = std::function<void(TcpGate&)>;

  // The gate makes trouble, so often in a row, and is good again after each.
  LoadReport Run(DrillOptions options, const std::string& hosts, int rounds,
                 const std::function<void(TcpGate&, int)>& trouble) {
    options.postfix.tables = harness::MailTables(hosts);
    options.ports = {gate_.port(), world_.second().port()};
    if (waits_) {
      options.with_bouncer = [this](const auto& run) {
        harness::PgBouncer between(world_.NewDirectory(), gate_.port(),
                                   harness::PgBouncer::ForStock());
        between.Start();
        run(harness::MailTables(between.TcpHost()));
      };
    }
    Drill drill(
        options, [this] { return world_.NewDirectory(); }, [this] { gate_.Open(); });
    const LoadReport report = drill.Run([&](Drill::Scene& scene) {
      double longest_ms = 0;
      for (int round = 0; round < rounds; ++round) {
        if (waits_ && round > 0 && !scene.stock()) scene.AwaitNextOutage();
        SCOPED_TRACE("round " + std::to_string(round));
        const std::uint64_t met = gate_.ended() + gate_.damaged();
        trouble(gate_, round);
        // Seen by lookups, and by what the service does then.
        Eventually([&] { return gate_.ended() + gate_.damaged() > met; }, seconds(1));
        scene.LetRun(lasting_);
        longest_ms = std::max(longest_ms, BackAfter(scene));
      }
      char figure[80];
      std::snprintf(figure, sizeof(figure), "in use again after %.0f ms at most", longest_ms);
      SayFigure(options.name, scene.name, figure);
      if (scene.stock()) return;
      EXPECT_LT(longest_ms, Bound(back_ms_ + scene.machine.away_ms())) << scene.postfix.Log();
    });
    log_ = drill.log();
    calm_ms_ = drill.Allowed(0);
    EXPECT_EQ(report.wrong, 0U) << report.Text() << '\n' << log_;
    EXPECT_EQ(report.fatal + report.lost + report.config, 0U) << report.Text() << '\n' << log_;
    // A cancel request is a connection, too.
    EXPECT_LE(drill.most_connections(), 2 * kConnectionLimit);
    if (waits_) {
      EXPECT_TRUE(drill.AsBefore()) << drill.BeforeAndAfter() << '\n' << log_;
    }
    return report;
  }

  void Mirrored(const std::string& name, double longest_ms, int rounds,
                const std::function<void(TcpGate&, int)>& trouble) {
    const LoadReport report = Run(Options(name, kClients), BothHosts(), rounds, trouble);
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << log_;
    EXPECT_LT(report.max_ms, Bound(longest_ms + calm_ms_)) << report.Text() << '\n' << log_;
  }
  void Mirrored(const std::string& name, double longest_ms, const Trouble& trouble) {
    Mirrored(name, longest_ms, Thorough() ? 3 : 1, [&](TcpGate& gate, int) { trouble(gate); });
  }

  // No other mirror, and what looks like one that is good is not: the answer may be RETRY, but
  // there is one, and it is not wrong.
  void Alone(const std::string& name, int rounds,
             const std::function<void(TcpGate&, int)>& trouble) {
    const LoadReport report = Run(Options(name + ", no other mirror", kClients, kAlone),
                                  gate_.TcpHost(), rounds, trouble);
    EXPECT_LT(report.max_ms, Bound(kAloneMs + calm_ms_)) << report.Text() << '\n' << log_;
  }
  void Alone(const std::string& name, const Trouble& trouble) {
    Alone(name, Thorough() ? 2 : 1, [&](TcpGate& gate, int) { trouble(gate); });
  }

  // No other mirror, and the trouble is shorter than outage_wait: lookups wait for its end.
  void AloneAwaited(const std::string& name, const Trouble& trouble) {
    waits_ = true;
    const std::string yaml = DrillMode() ? kAlone : kAlonePatient;
    const LoadReport report =
        Run(Options(name + ", no other mirror", kClients, yaml), gate_.TcpHost(), Outages(),
            [&](TcpGate& gate, int) { trouble(gate); });
    waits_ = false;
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << log_;
    EXPECT_LT(report.max_ms, Bound(kAloneMs + calm_ms_)) << report.Text() << '\n' << log_;
  }

  void Both(const std::string& name, double longest_ms, const Trouble& trouble) {
    Mirrored(name, longest_ms, trouble);
    AloneAwaited(name, trouble);
  }

  std::string BothHosts() { return gate_.TcpHost() + " " + world_.second().TcpHost(); }

  // How long it takes until lookups are answered through the gate again once it is good.
  double BackAfter(Drill::Scene& scene) {
    gate_.Open();
    if (waits_) scene.IsOver();
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t rows = gate_.rows() + kClients;
    // Stock is back after retry_interval, a minute, which is measured elsewhere.
    const auto limit = scene.stock() ? milliseconds(100) : scene.patience();
    EXPECT_TRUE(Eventually([&] { return gate_.rows() >= rows; }, limit) || scene.stock())
        << scene.postfix.Log();
    return Since(begin);
  }

  TcpGate gate_{world_.first().port()};
  milliseconds lasting_{300};
  bool waits_ = false;  // nobody else can be asked, and lookups wait
  double back_ms_ = kBackMs;
  double calm_ms_ = 0;
  std::string log_;
};

TcpGate::Garbage GarbageOf(TcpGate::Damage damage, int seed) {
  // All of it, so that not even a connection comes about, or now and then.
  const double shares[] = {1, 0.2, 0.05, 0.01, 0.002};
  return {damage, shares[seed % 5], static_cast<std::uint32_t>(seed)};
}

TEST_F(GateDrill, SendsNoise) {
  back_ms_ = kBackFromGarbageMs;
  const auto noise = [](TcpGate& gate, int round) {
    gate.Send(GarbageOf(TcpGate::Damage::kNoise, round));
  };
  // Noise may look like the beginning of a long message.
  Mirrored("a mirror sends random bytes", kSilentMs, kSeeds, noise);
  EXPECT_TRUE(Eventually([&] { return gate_.noisy_connections() == 0; })) << log_;
  Alone("a mirror sends random bytes", kSeeds, noise);
  EXPECT_TRUE(Eventually([&] { return gate_.noisy_connections() == 0; })) << log_;
}

TEST_F(GateDrill, SendsMessagesOfWrongTypes) {
  back_ms_ = kBackFromGarbageMs;
  const auto wrong = [](TcpGate& gate, int round) {
    gate.Send(GarbageOf(TcpGate::Damage::kType, round));
  };
  Mirrored("a mirror's messages have wrong types", kSilentMs, kSeedsOfHeaders, wrong);
  Alone("a mirror's messages have wrong types", kSeedsOfHeaders, wrong);
}

// libpq takes each of these for a result in good form: a row that is none any more, and a statement
// that was said to be empty, or that gets the next one's rows.
TEST_F(GateDrill, SendsMessagesThatLookLikeOthers) {
  back_ms_ = kBackFromGarbageMs;
  struct {
    char type, becomes;
    double share;
  } const kCases[] = {
      {'D', 'T', 0.02}, {'D', 'd', 0.02}, {'2', 'I', 0.02}, {'1', 'I', 0.5}, {'1', '2', 0.5}};
  for (const auto& change : kCases) {
    const std::string name =
        std::string("messages ") + change.type + " are sent as " + change.becomes;
    Mirrored(name, kSilentMs, 3, [&](TcpGate& gate, int round) {
      const auto seed = static_cast<std::uint32_t>(round);
      gate.Send({TcpGate::Damage::kType, change.share, seed, change.type, change.becomes});
      gate.Cut(TcpGate::Ending::kReset);  // the next connections prepare their statements
    });
  }
}

TEST_F(GateDrill, SendsMessagesOfWrongLengths) {
  back_ms_ = kBackFromGarbageMs;
  const auto wrong = [](TcpGate& gate, int round) {
    gate.Send(GarbageOf(TcpGate::Damage::kLength, round));
  };
  Mirrored("a mirror's messages have wrong lengths", kSilentMs, kSeedsOfHeaders, wrong);
  Alone("a mirror's messages have wrong lengths", kSeedsOfHeaders, wrong);
}

TEST_F(GateDrill, SendsHalfARowAndIsSilent) {
  lasting_ = milliseconds(2500);
  Both("half a row of a mirror's and silence", kSilentMs, [](TcpGate& gate) {
    gate.StopAt({TcpGate::Ending::kSilence, 0, /*in_row=*/true});
  });
}

TEST_F(GateDrill, IsSilent) {
  lasting_ = milliseconds(2500);
  Both("silence", kSilentMs, [](TcpGate& gate) {
    gate.StopAt({TcpGate::Ending::kSilence, 0, false});
  });
}

// So does each connection that follows: with no other mirror a lookup's two tries may be used up.
TEST_F(GateDrill, ClosesMidResult) {
  const auto close = [](TcpGate& gate) {
    gate.StopAt({TcpGate::Ending::kClose, 0, /*in_row=*/true});
  };
  Mirrored("a mirror closes in the middle of a row", kAtOnceMs, close);
  Alone("a mirror closes in the middle of a row", close);
}

TEST_F(GateDrill, ClosesAnywhere) {
  const std::vector<std::size_t> lengths = {0, 1, 4, 5, 6, 11, 37, 60, 150, 400, 1000, 5000};
  const auto close = [&](TcpGate& gate, int round) {
    gate.StopAt({TcpGate::Ending::kClose, lengths[static_cast<std::size_t>(round)], false});
  };
  const int rounds = Thorough() ? static_cast<int>(lengths.size()) : 5;
  Mirrored("a mirror closes after so many bytes", kAtOnceMs, rounds, close);
  Alone("a mirror closes after so many bytes", rounds, close);
}

TEST_F(GateDrill, ResetsMidResult) {
  const auto reset = [](TcpGate& gate) {
    gate.StopAt({TcpGate::Ending::kReset, 0, /*in_row=*/true});
  };
  Mirrored("a mirror resets in the middle of a row", kAtOnceMs, reset);
  Alone("a mirror resets in the middle of a row", reset);
}

TEST_F(GateDrill, ResetsOnce) {
  Both("connections to a mirror are reset once", kAtOnceMs,
       [](TcpGate& gate) { gate.Cut(TcpGate::Ending::kReset); });
}

TEST_F(GateDrill, ClosesOneDirection) {
  Both("connections to a mirror are half closed", kAtOnceMs,
       [](TcpGate& gate) { gate.Cut(TcpGate::Ending::kHalfClose); });
}

TEST_F(GateDrill, AcceptsAndIsSilent) {
  lasting_ = milliseconds(2500);
  Both("a mirror accepts and says nothing", kAtOnceMs, [](TcpGate& gate) {
    gate.SetNewcomers(TcpGate::Newcomers::kIgnored);
    gate.Cut(TcpGate::Ending::kReset);
  });
}

TEST_F(GateDrill, Refuses) {
  Both("a mirror is cut off and refuses", kAtOnceMs, [](TcpGate& gate) {
    gate.SetNewcomers(TcpGate::Newcomers::kRefused);
    gate.Cut(TcpGate::Ending::kReset);
  });
}

}  // namespace
}  // namespace proxymux::drills
