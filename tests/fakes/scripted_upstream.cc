#include "tests/fakes/scripted_upstream.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace proxymux::fakes {

using pgsql::StatementResult;
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

void ScriptedUpstream::Accept() {
  ASSERT_EQ(state_, State::kConnecting);
  state_ = State::kReady;
  pooled_ = factory_->pooled_;
  observer_->OnReady(this);
}

void ScriptedUpstream::Refuse(const std::string& sqlstate, const std::string& text) {
  ASSERT_EQ(state_, State::kConnecting);
  state_ = State::kEnded;
  observer_->OnConnectFailed(this, {sqlstate, text});
}

void ScriptedUpstream::LearnNoPooler() {
  pooled_ = false;
  observer_->OnNoPooler(this);
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

ScriptedUpstream::Sent ScriptedUpstream::TakeOldest() {
  if (answerable() == 0) {
    ADD_FAILURE() << "there is no statement with a Sync behind it to answer";
    return {};
  }
  while (sent_.front().form == Form::kSync) sent_.pop_front();
  Sent sent = std::move(sent_.front());
  sent_.pop_front();
  if (!sent_.empty() && sent_.front().form == Form::kSync) sent_.pop_front();
  return sent;
}

void ScriptedUpstream::Answer(const std::string& value) { AnswerRows({value}); }

void ScriptedUpstream::AnswerRows(std::vector<std::optional<std::string>> values) {
  if (oldest() != nullptr && oldest()->form == Form::kPrepare) {
    AnswerTagged({}, 0, "");
    return;
  }
  const std::string tag = "SELECT " + std::to_string(values.size());
  AnswerTagged(std::move(values), 1, tag);
}

void ScriptedUpstream::AnswerTagged(std::vector<std::optional<std::string>> values,
                                    std::size_t columns, const std::string& tag) {
  const Sent sent = TakeOldest();
  if (sent.work == nullptr) return;
  const ScriptedRows rows(std::move(values), columns);
  StatementResult result;
  result.rows = &rows;
  result.tag = tag;
  observer_->OnResult(this, sent.work, result);
}

void ScriptedUpstream::AnswerEverything(const std::string& value) {
  while (state_ == State::kReady && answerable() > 0) Answer(value);
}

void ScriptedUpstream::Fail(const std::string& sqlstate, const std::string& message, bool fatal) {
  ASSERT_GT(answerable(), 0U);
  while (sent_.front().form == Form::kSync) sent_.pop_front();
  std::size_t batch = 1;
  if (sent_.front().form != Form::kScript) {
    const auto sync = std::find_if(sent_.begin(), sent_.end(),
                                   [](const Sent& sent) { return sent.form == Form::kSync; });
    batch = static_cast<std::size_t>(sync - sent_.begin());
  }
  StatementResult error;
  error.kind = StatementResult::Kind::kError;
  error.sqlstate = sqlstate;
  error.message = message;
  error.fatal = fatal;
  StatementResult aborted;
  aborted.kind = StatementResult::Kind::kAborted;
  // The observer may close the connection: what is left is not answered then.
  for (std::size_t i = 0; i < batch && state_ == State::kReady; ++i) {
    const Sent sent = TakeOldest();
    observer_->OnResult(this, sent.work, i == 0 ? error : aborted);
  }
}

void ScriptedUpstream::Lose(const std::string& reason, const std::string& sqlstate) {
  ASSERT_EQ(state_, State::kReady);
  observer_->OnLost(this, {sqlstate, reason});
  EXPECT_EQ(state_, State::kEnded) << "a lost connection was not closed";
}

void ScriptedUpstream::GiveUp(const std::string& reason) {
  ASSERT_EQ(state_, State::kReady);
  observer_->OnLost(this, {"", reason, pgsql::ConnectionFault::End::kGivenUp});
  EXPECT_EQ(state_, State::kEnded) << "a connection that was given up was not closed";
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
