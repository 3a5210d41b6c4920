#include "tests/drills/drill.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <regex>
#include <stdexcept>

#include "tests/drills/connection_watch.h"
#include "tests/harness/load_on.h"
#include "tests/harness/mail_schema.h"

namespace proxymux::drills {
namespace {

using harness::LoadClients;
using harness::LoadReport;
using harness::PostfixInstance;
using harness::Service;

// Every client has been served when something happens.
constexpr std::uint64_t kAnswersBefore = 5000;

constexpr harness::milliseconds kCalm{1000};

// After an outage lookups wait as before within that.
constexpr harness::milliseconds kSettling{1000};

// What "as before" allows for. The percentile of a second in which nothing happens is up to twice
// that of another one, and whatever else runs for a moment (a checkpoint, a server that follows
// another one again) keeps a processor for a tick of the kernel's clock, 4 ms. What an outage
// leaves behind is longer: attempts are 50 ms apart, what is silent is waited for for a second.
constexpr double kNoiseFactor = 2;
constexpr double kNoiseMs = 5;

const char* NameOf(Service service) { return service == Service::kStock ? "stock" : "proxymux"; }

}  // namespace

double Bound(double limit) { return DrillMode() ? limit : std::numeric_limits<double>::infinity(); }

bool DrillMode() { return std::getenv("PROXYMUX_DRILL") != nullptr; }

std::string ForShortOutage(const std::string& pool) {
  if (DrillMode()) return pool.empty() ? "" : "pool: {" + pool + "}\n";
  return "pool: {outage_wait: 2m" + (pool.empty() ? "" : ", " + pool) +
         "}\ntable: {lookup_timeout: 5m}\n";
}

bool Thorough() { return std::getenv("PROXYMUX_DRILL_STOCK") != nullptr; }

int Outages() { return DrillMode() && !Thorough() ? 1 : 2; }

bool SaysThatLookupsWaited(const std::string& log) {
  static const std::regex kEnd("[1-9][0-9]* lookups waited for it, 0 were answered RETRY");
  return std::regex_search(log, kEnd);
}

void SayFigure(const std::string& drill, Service service, const std::string& figure) {
  SayFigure(drill, std::string(NameOf(service)), figure);
}

void SayFigure(const std::string& drill, const std::string& service, const std::string& figure) {
  std::printf("drill: %s | %s | %s\n", drill.c_str(), service.c_str(), figure.c_str());
  std::fflush(stdout);
}

void Drill::Scene::LetRun(harness::milliseconds time) {
  load.WaitForAnswers(std::uint64_t{1} << 60, time);
}

void Drill::Scene::IsOver(std::chrono::steady_clock::time_point then) {
  over = then;
  away_until_over_ms = machine.away_ms();
  load.WatchSecondFrom(*over + kSettling);
}

void Drill::Scene::LookAfter() {
  if (!over.has_value() || !DrillMode() || stock()) return;
  const auto until = *over + kSettling + kCalm - std::chrono::steady_clock::now();
  LetRun(std::max(harness::milliseconds(0), std::chrono::ceil<harness::milliseconds>(until)));
  away_after_ms = std::max(away_after_ms, machine.away_ms() - away_until_over_ms);
}

void Drill::Scene::AwaitNextOutage() {
  LookAfter();
  // A lookup is tried twice, and one that two outages meet has no third try.
  if (!load.WaitForThoseOnTheWay(patience())) {
    throw std::runtime_error("lookups of the last outage are not answered:\n" + postfix.Log());
  }
  if (DrillMode()) LetRun(kDefaultWait + harness::seconds(1));
}

Drill::Drill(DrillOptions options, std::function<std::string()> directory,
             std::function<void()> mend)
    : options_(std::move(options)), directory_(std::move(directory)), mend_(std::move(mend)) {}

double Drill::Allowed(double target_ms) const { return Bound(target_ms + calm_ms_ + away_ms_); }

bool Drill::AsBefore(double other_work_ms) const {
  const double noise_ms = kNoiseMs + other_work_ms + after_away_ms_;
  return !DrillMode() || after_p99_ms_ <= kNoiseFactor * before_p99_ms_ + noise_ms;
}

std::string Drill::BeforeAndAfter() const {
  char text[100];
  std::snprintf(text, sizeof(text), "p99 %.1f ms before, %.1f ms after", before_p99_ms_,
                after_p99_ms_);
  return text;
}

LoadReport Drill::Run(const Happening& happening) {
  const auto run = [&](Service service, const std::string& name,
                       const std::vector<harness::TableFile>& tables) {
    return RunOn(service, name, tables, happening);
  };
  if (Thorough()) {
    run(Service::kStock, NameOf(Service::kStock), options_.postfix.tables);
    if (options_.with_bouncer) {
      options_.with_bouncer([&](const DrillOptions::Tables& tables) {
        run(Service::kStock, "stock behind PgBouncer", tables);
      });
    }
  }
  return run(Service::kInPlace, NameOf(Service::kInPlace), options_.postfix.tables);
}

LoadReport Drill::RunOn(Service service, const std::string& name,
                        const std::vector<harness::TableFile>& tables, const Happening& happening) {
  PostfixInstance::Options options = options_.postfix;
  options.service = service;
  options.tables = tables;
  if (service == Service::kStock) options.yaml.clear();
  PostfixInstance postfix(directory_(), options);
  postfix.Start();
  harness::LoadOptions load_options = harness::LoadOn(postfix, options_.clients);
  if (!options_.tables.empty()) load_options.tables = options_.tables;
  // While it is calm as well: it makes waits longer, and these are compared.
  std::unique_ptr<ConnectionWatch> watch;
  if (!options_.ports.empty()) watch = std::make_unique<ConnectionWatch>(options_.ports);
  if (service != Service::kStock && !options_.cold) {
    {
      LoadClients first(load_options);  // connections are opened, statements prepared
      first.WaitForAnswers(kAnswersBefore);
    }
    LoadClients calm(load_options);
    calm.WaitForAnswers(std::uint64_t{1} << 60, kCalm);
    const LoadReport report = calm.Finish();
    calm_ms_ = report.max_ms;
    before_p99_ms_ = report.p99_ms;
  }
  const MachineWatch machine;  // of all that the load's waits are part of
  LoadClients load(load_options);
  if (!options_.cold && !load.WaitForAnswers(kAnswersBefore)) {
    throw std::runtime_error(options_.name + ": " + name + " does not answer:\n" + postfix.Log());
  }
  Scene scene{service, name, postfix, load, machine};
  happening(scene);
  scene.LookAfter();
  const LoadReport report = load.Finish(scene.patience());
  away_ms_ = machine.away_ms();
  mend_();
  const std::uint64_t unanswered = report.lost + report.fatal;
  char figure[300];
  std::snprintf(figure, sizeof(figure),
                "%d clients | %llu answered | %llu lost (%llu RETRY, %llu CONFIG, %llu not "
                "answered) | longest wait %.0f ms",
                options_.clients, static_cast<unsigned long long>(report.answered),
                static_cast<unsigned long long>(report.Failed()),
                static_cast<unsigned long long>(report.retry),
                static_cast<unsigned long long>(report.config),
                static_cast<unsigned long long>(unanswered), report.max_ms);
  std::string connections;
  if (watch != nullptr) {
    most_connections_ = watch->most();
    connections = " | " + std::to_string(most_connections_) + " connections at most";
  }
  if (report.wrong > 0) connections += " | " + std::to_string(report.wrong) + " wrong answers";
  std::string calm;
  if (service != Service::kStock) {
    calm = " (" + std::to_string(std::lround(calm_ms_)) + " while calm";
    if (away_ms_ > 0) {
      calm += ", and the machine was away for " + std::to_string(std::lround(away_ms_)) + " ms";
    }
    calm += ")";
  }
  SayFigure(options_.name, name, figure + (calm + connections));
  if (scene.stock()) return report;
  log_ = postfix.Log();
  if (DrillMode() && scene.over.has_value() && !options_.cold) {
    after_p99_ms_ = report.watched_p99_ms;
    after_away_ms_ = scene.away_after_ms;
    SayFigure(options_.name, name, BeforeAndAfter());
  }
  return report;
}

}  // namespace proxymux::drills
