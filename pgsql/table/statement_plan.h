// How the lookups of one table reach the server: as text, with parameters, or as a prepared
// statement; and what was learned when a server refused one of these.
//
// statement_mode decides what is tried: `auto` prepares what answers the same under every plan
// (plan_independence.h), `prepared` and `parameterized` use parameters wherever the template can be
// bound (bind_plan.h), outside of quotes too, `legacy` never. What the server does not take goes on
// as text: a parameter whose type it cannot infer is declared text first (SQLSTATE 42P18) where
// that is the same as a literal, everything else is a refusal. A refusal stands when the query is
// then answered as text; when that fails too the query itself is at fault, and parameters are tried
// again a second later.
//
// Pure. Statement names tell the statement: two with the same name have the same text and types,
// also in another process behind the same pooler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/values/statement_mode.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/sql/bind_plan.h"
#include "pgsql/sql/query_template.h"
#include "pgsql/sql/statement_class.h"
#include "pgsql/table/statement_form.h"

namespace proxymux::pgsql {

class StatementPlan {
 public:
  // Text, always.
  StatementPlan() = default;
  StatementPlan(const QueryTemplate& query, const StatementClass& statement,
                config::StatementMode mode);

  // The form for the next lookup.
  StatementForm form(Time now) const {
    return state_ == State::kTrusted && now >= text_until_ ? form_ : StatementForm::kText;
  }
  // Any form will do, so that the better one may be taken (lone_form.h).
  bool is_automatic() const { return automatic_; }
  // Why lookups go, or stay, as text; empty when they do not.
  const std::string& text_reason() const { return text_reason_; }

  // text_reason() comes from the server: its words are in it, which may quote a value.
  bool refused() const { return state_ != State::kTrusted; }

  // For the forms with parameters. types() has an OID for each: 0 where the server infers it.
  const std::string& sql() const { return sql_; }
  std::span<const std::uint32_t> types() const { return types_; }
  Bound bound() const { return bound_; }  // what of the template the parameters stand for
  const std::string& name() const { return name_; }
  std::uint64_t id() const { return id_; }  // changes with name()

  // The server cannot infer the type of a parameter; `message` is its own, which names it ($1). The
  // plan has a new name then, or is text.
  void OnUntyped(std::string_view message);
  void OnRefused(std::string_view reason);

  // A lookup that was sent as text was answered. True when this settles that a refusal stands:
  // once, to be logged with text_reason().
  bool OnTextAnswered();
  // A lookup that was sent as text failed, and the query is to blame.
  void OnTextFailed(Time now);
  // The statement could not be prepared, and is not to blame for that: text for a second.
  void PutOff(Time now);

 private:
  enum class State {
    kTrusted,
    kRefused,  // whether the parameters are to blame shows when it is sent as text
    kSettled,  // the parameters are to blame: text was answered
  };
  void Rename();

  StatementForm form_ = StatementForm::kText;
  bool automatic_ = false;
  bool may_declare_ = false;  // text for a parameter without a type
  State state_ = State::kTrusted;
  Time text_until_{};
  std::string text_reason_;
  Bound bound_ = Bound::kInQuotes;
  std::string sql_;
  std::vector<std::uint32_t> types_;
  std::string name_;
  std::uint64_t id_ = 0;
};

}  // namespace proxymux::pgsql
