// Connections to database servers that exist only in the test: what the pool sends is recorded, and
// the test plays the server.
//
// The server that is played keeps PostgreSQL's rules: statements are answered in order, only those
// that a Sync has followed; an error aborts what stands behind it up to the next Sync. Breaking the
// rules of UpstreamConnection (a script while something is in flight, a statement before the
// connection is ready) is a failure of the test.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pgsql/connection/upstream_connection.h"

namespace proxymux::fakes {

// The rows of one answer: `values` in one column; nullopt is NULL.
class ScriptedRows final : public pgsql::RowSource {
 public:
  explicit ScriptedRows(std::vector<std::optional<std::string>> values, std::size_t columns = 1)
      : values_(std::move(values)), columns_(columns) {}
  std::size_t rows() const override { return values_.size(); }
  std::size_t columns() const override { return columns_; }
  bool IsNull(std::size_t row, std::size_t) const override { return !values_[row].has_value(); }
  std::string_view Value(std::size_t row, std::size_t) const override {
    return values_[row].has_value() ? std::string_view(*values_[row]) : std::string_view();
  }

 private:
  std::vector<std::optional<std::string>> values_;
  std::size_t columns_;
};

class ScriptedFactory;

class ScriptedUpstream final : public pgsql::UpstreamConnection, private pgsql::LiteralEscaper {
 public:
  enum class State { kNew, kConnecting, kReady, kEnded };
  enum class Form { kStatement, kPrepare, kPrepared, kScript, kSync };
  struct Sent {
    Form form;
    pgsql::Work* work = nullptr;
    std::string sql;  // kPrepared: what was prepared under the name
    std::vector<std::string> parameters = {};
    std::string name = {};
    std::vector<std::uint32_t> types = {};
  };

  ScriptedUpstream(ScriptedFactory* factory, std::size_t host, int number,
                   pgsql::UpstreamObserver* observer);
  ~ScriptedUpstream() override;

  // UpstreamConnection
  void Connect() override;
  pgsql::LiteralEscaper& escaper() override { return *this; }
  bool SendStatement(pgsql::Work* work, const std::string& sql,
                     std::span<const std::uint32_t> types,
                     std::span<const char* const> values) override;
  bool SendQuestion(pgsql::Work* work, const std::string& sql,
                    std::span<const char* const> values) override;
  bool SendPrepare(pgsql::Work* work, const std::string& name, const std::string& sql,
                   std::span<const std::uint32_t> types) override;
  bool SendPrepared(pgsql::Work* work, const std::string& name,
                    std::span<const char* const> values) override;
  bool SendScript(pgsql::Work* work, const std::string& sql) override;
  bool Sync() override;
  bool Commit() override;
  bool BatchOpen() const override;
  bool AllAnswered() const override { return unanswered() == 0; }
  bool Pooled() const override { return pooled_; }
  std::string ServerVersion() const override { return "15.13 (scripted)"; }
  bool Swollen() const override { return swollen_; }
  void CancelRunning() override;
  std::vector<pgsql::Work*> Close() override;

  // The server's part.
  void Accept();
  void Refuse(const std::string& sqlstate, const std::string& text);
  void Answer(const std::string& value);  // the oldest statement: one row
  void AnswerRows(std::vector<std::optional<std::string>> values);
  // The oldest one, with a result that the statement may not have: with the tag as it stands here.
  void AnswerTagged(std::vector<std::optional<std::string>> values, std::size_t columns,
                    const std::string& tag);
  void AnswerEverything(const std::string& value);  // all that was synced
  // The oldest statement; those behind it in its batch come back aborted.
  void Fail(const std::string& sqlstate, const std::string& message, bool fatal = false);
  void Lose(const std::string& reason, const std::string& sqlstate = "");
  void GiveUp(const std::string& reason);  // it is ended on our side, for what a statement did
  void SetDoublesBackslashes() { doubles_backslashes_ = true; }
  void Swell() { swollen_ = true; }
  // What the connection has found out about its session.
  void LearnNoPooler();
  void Outdate() { observer_->OnOutdated(this); }
  void BreakSyncing() { syncs_fail_ = true; }  // what is sent is taken, and goes nowhere
  // So many statements and Syncs are taken, and then nothing more.
  void BreakSending(int taken = 0) { takes_ = taken; }

  State state() const { return state_; }
  std::size_t host() const { return host_; }
  int number() const { return number_; }  // the n-th connection ever, from 0
  int cancels() const { return cancels_; }
  int commits() const { return commits_; }  // Syncs that hold the answers back
  // Everything ever sent, as "S" for a statement, "P" for PREPARE, "E" for EXECUTE, "X" for a
  // script and "|" for a Sync: "SS|PE|".
  const std::string& history() const { return history_; }
  // The text of everything ever sent, in order.
  const std::vector<std::string>& texts() const { return texts_; }
  std::size_t unanswered() const;
  std::size_t answerable() const;  // with a Sync behind them
  const Sent* oldest() const;      // null: nothing is unanswered

 private:
  bool Escape(std::string_view in, std::string* out) override;
  bool DoublesBackslashes() const override { return doubles_backslashes_; }
  bool Takes();
  bool Record(char letter, Sent sent);
  Sent TakeOldest();

  ScriptedFactory* const factory_;
  const std::size_t host_;
  const int number_;
  pgsql::UpstreamObserver* const observer_;
  State state_ = State::kNew;
  std::deque<Sent> sent_;  // not yet answered, with the Syncs between
  std::string history_;
  std::vector<std::string> texts_;
  std::map<std::string, std::string> prepared_;  // by name; taken for prepared when it is sent
  int cancels_ = 0;
  int commits_ = 0;
  std::optional<int> takes_;  // none: all
  bool syncs_fail_ = false;
  bool pooled_ = false;
  bool swollen_ = false;
  bool doubles_backslashes_ = false;
};

// Makes the connections, keeps count of them and settles those that connect.
class ScriptedFactory final : public pgsql::UpstreamFactory {
 public:
  enum class Mood {
    kAccepts,
    kRefuses,  // nobody listens
    kDenies,   // wrong password
    kSilent,   // neither answer nor refusal
  };

  explicit ScriptedFactory(std::size_t hosts) : moods_(hosts, Mood::kAccepts) {}

  std::unique_ptr<pgsql::UpstreamConnection> NewConnection(
      std::size_t host, pgsql::UpstreamObserver* observer) override;

  void SetMood(std::size_t host, Mood mood) { moods_[host] = mood; }
  Mood mood(std::size_t host) const { return moods_[host]; }
  void SetPooled() { pooled_ = true; }  // a pooler stands in front of every host
  // Answers every attempt to connect as its host is in the mood for. Returns how many.
  std::size_t Settle();

  // Connections that are open or being made, oldest first.
  std::vector<ScriptedUpstream*> Open() const;
  std::vector<ScriptedUpstream*> OpenTo(std::size_t host) const;
  std::size_t most_open() const { return most_open_; }  // at any time
  int made() const { return made_; }
  int made_to(std::size_t host) const;
  int cancels() const { return cancels_; }  // on connections of now and before

 private:
  friend class ScriptedUpstream;
  std::vector<Mood> moods_;
  bool pooled_ = false;
  std::vector<ScriptedUpstream*> alive_;
  std::vector<std::size_t> hosts_of_;  // of every connection ever made
  std::size_t most_open_ = 0;
  int made_ = 0;
  int cancels_ = 0;
};

}  // namespace proxymux::fakes
