// What the test lets the server of a scripted connection do: accept or refuse, answer, fail, go.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/scripted_upstream.h"

namespace proxymux::fakes {

using pgsql::StatementResult;

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

}  // namespace proxymux::fakes
