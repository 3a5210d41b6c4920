#include "tests/fakes/scripted_upstream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace proxymux::fakes {

using pgsql::Work;

ScriptedUpstream::ScriptedUpstream(ScriptedFactory* factory, std::size_t host, int number,
                                   pgsql::UpstreamObserver* observer)
    : factory_(factory), host_(host), number_(number), observer_(observer) {
  factory_->alive_.push_back(this);
}

ScriptedUpstream::~ScriptedUpstream() { std::erase(factory_->alive_, this); }

void ScriptedUpstream::Connect() {
  EXPECT_EQ(state_, State::kNew);
  state_ = State::kConnecting;
  factory_->most_open_ = std::max(factory_->most_open_, factory_->Open().size());
}

bool ScriptedUpstream::Takes() {
  if (!takes_.has_value()) return true;
  if (*takes_ == 0) return false;
  --*takes_;
  return true;
}

bool ScriptedUpstream::Record(char letter, Sent sent) {
  EXPECT_EQ(state_, State::kReady) << "a statement was sent on a connection that is not ready";
  EXPECT_TRUE(sent_.empty() || sent_.back().form != Form::kScript)
      << "a statement was sent behind a script";
  if (!Takes()) return false;
  history_ += letter;
  texts_.push_back(sent.sql);
  sent_.push_back(std::move(sent));
  return true;
}

bool ScriptedUpstream::SendStatement(Work* work, const std::string& sql,
                                     std::span<const std::uint32_t> types,
                                     std::span<const char* const> values) {
  return Record('S', {Form::kStatement,
                      work,
                      sql,
                      {values.begin(), values.end()},
                      {},
                      {types.begin(), types.end()}});
}

bool ScriptedUpstream::SendQuestion(Work* work, const std::string& sql,
                                    std::span<const char* const> values) {
  EXPECT_TRUE(sent_.empty() || sent_.back().form == Form::kSync) << "a question in others' batch";
  return SendStatement(work, sql, {}, values);
}

bool ScriptedUpstream::SendPrepare(Work* work, const std::string& name, const std::string& sql,
                                   std::span<const std::uint32_t> types) {
  EXPECT_TRUE(prepared_.emplace(name, sql).second) << name << " was prepared before";
  return Record('P', {Form::kPrepare, work, sql, {}, name, {types.begin(), types.end()}});
}

bool ScriptedUpstream::SendPrepared(Work* work, const std::string& name,
                                    std::span<const char* const> values) {
  EXPECT_TRUE(prepared_.contains(name)) << name << " was never prepared here";
  return Record('E',
                {Form::kPrepared, work, prepared_[name], {values.begin(), values.end()}, name, {}});
}

bool ScriptedUpstream::SendScript(Work* work, const std::string& sql) {
  EXPECT_EQ(state_, State::kReady);
  EXPECT_EQ(unanswered(), 0U) << "a script was sent while something is in flight";
  if (!Takes()) return false;
  history_ += 'X';
  texts_.push_back(sql);
  sent_.push_back({Form::kScript, work, sql});
  return true;
}

bool ScriptedUpstream::Sync() {
  EXPECT_EQ(state_, State::kReady);
  if (syncs_fail_ || !Takes()) return false;
  if (sent_.empty() || sent_.back().form == Form::kSync || sent_.back().form == Form::kScript) {
    return true;
  }
  history_ += '|';
  sent_.push_back({Form::kSync, nullptr, {}});
  return true;
}

// An answer that the test gives is that of the Sync as well.
bool ScriptedUpstream::Commit() {
  ++commits_;
  return Sync();
}

const ScriptedUpstream::Sent* ScriptedUpstream::oldest() const {
  for (const Sent& sent : sent_) {
    if (sent.form != Form::kSync) return &sent;
  }
  return nullptr;
}

bool ScriptedUpstream::BatchOpen() const {
  return !sent_.empty() && sent_.back().form != Form::kSync && sent_.back().form != Form::kScript;
}

void ScriptedUpstream::CancelRunning() {
  ++cancels_;
  ++factory_->cancels_;
}

std::vector<Work*> ScriptedUpstream::Close() {
  std::vector<Work*> unanswered;
  for (const Sent& sent : sent_) {
    if (sent.form != Form::kSync) unanswered.push_back(sent.work);
  }
  sent_.clear();
  state_ = State::kEnded;
  return unanswered;
}

bool ScriptedUpstream::Escape(std::string_view in, std::string* out) {
  for (const char c : in) {
    // The bytes that this server's encoding does not have.
    if (c == '\xff' || c == '\x80') return false;
    if (c == '\'') *out += '\'';
    *out += c;
  }
  return true;
}

std::size_t ScriptedUpstream::unanswered() const {
  return static_cast<std::size_t>(std::count_if(
      sent_.begin(), sent_.end(), [](const Sent& sent) { return sent.form != Form::kSync; }));
}

std::size_t ScriptedUpstream::answerable() const {
  std::size_t count = 0;
  std::size_t open = 0;
  for (const Sent& sent : sent_) {
    switch (sent.form) {
      case Form::kStatement:
      case Form::kPrepare:
      case Form::kPrepared:
        ++open;
        break;
      case Form::kScript:
        ++count;
        break;
      case Form::kSync:
        count += open;
        open = 0;
        break;
    }
  }
  return count;
}

std::unique_ptr<pgsql::UpstreamConnection> ScriptedFactory::NewConnection(
    std::size_t host, pgsql::UpstreamObserver* observer) {
  hosts_of_.push_back(host);
  return std::make_unique<ScriptedUpstream>(this, host, made_++, observer);
}

std::size_t ScriptedFactory::Settle() {
  std::size_t settled = 0;
  for (ScriptedUpstream* upstream : Open()) {
    if (upstream->state() != ScriptedUpstream::State::kConnecting) continue;
    ++settled;
    switch (moods_[upstream->host()]) {
      case Mood::kAccepts:
        upstream->Accept();
        break;
      case Mood::kRefuses:
        upstream->Refuse("", "connection refused");
        break;
      case Mood::kDenies:
        upstream->Refuse("28P01", "password authentication failed");
        break;
      case Mood::kSilent:
        --settled;
        break;
    }
  }
  return settled;
}

std::vector<ScriptedUpstream*> ScriptedFactory::Open() const {
  std::vector<ScriptedUpstream*> open;
  for (ScriptedUpstream* upstream : alive_) {
    if (upstream->state() == ScriptedUpstream::State::kConnecting ||
        upstream->state() == ScriptedUpstream::State::kReady) {
      open.push_back(upstream);
    }
  }
  return open;
}

std::vector<ScriptedUpstream*> ScriptedFactory::OpenTo(std::size_t host) const {
  std::vector<ScriptedUpstream*> open = Open();
  std::erase_if(open, [host](const auto* upstream) { return upstream->host() != host; });
  return open;
}

int ScriptedFactory::made_to(std::size_t host) const {
  return static_cast<int>(std::count(hosts_of_.begin(), hosts_of_.end(), host));
}

}  // namespace proxymux::fakes
