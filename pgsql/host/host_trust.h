// What a host's lost connections say of its other ones.
//
// A server that goes away ends one connection after the other, and answers on some of them until
// then; a pooler before it may leave some hanging, and take new ones all the same. So a loss speaks
// against each other connection for a while, until that answers, and against new ones until one of
// them has answered. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class HostTrust {
 public:
  // Pgpool-II leaves processes that have lost their server hanging for five seconds.
  static constexpr Duration kWhile = std::chrono::seconds(10);
  static constexpr int kMostDoublings = 3;

  void OnLost(Time now) { lost_ = unproven_since_ = now; }
  // A connection could not be made.
  void OnNotMade(Time now) { unproven_since_ = now; }
  // Something came on a connection that was opened at that time.
  void OnAnswered(Time opened) {
    if (!unproven_since_.has_value() || opened < *unproven_since_) return;
    unproven_since_.reset();
    questions_given_up_ = 0;
    question_late_ = false;
  }
  // The question that is to prove a new connection has not been answered for stall_limit.
  void OnQuestionLate() { question_late_ = unproven(); }
  // The question that was to prove a new connection was not answered in time. The next one is
  // waited for longer: it may be the question that takes so long there.
  void OnQuestionGivenUp() { ++questions_given_up_; }

  // A connection was lost or could not be made, and none that was opened since then has answered.
  bool unproven() const { return unproven_since_.has_value(); }
  // How many times as long as the first one the next question is waited for.
  int question_patience() const { return 1 << std::min(questions_given_up_, kMostDoublings); }
  // The same, and the question on a new one is late: they can be made, and are silent.
  bool question_late() const { return question_late_; }
  // A connection that answered then, last, or never, may be gone as well.
  bool PerhapsGone(std::optional<Time> answered, Time now) const {
    return lost_.has_value() && now - *lost_ < kWhile &&
           (!answered.has_value() || *answered < *lost_);
  }

 private:
  std::optional<Time> lost_;
  std::optional<Time> unproven_since_;
  int questions_given_up_ = 0;
  bool question_late_ = false;
};

}  // namespace proxymux::pgsql
