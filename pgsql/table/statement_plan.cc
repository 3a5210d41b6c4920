#include "pgsql/table/statement_plan.h"

#include <array>
#include <charconv>
#include <chrono>

#include "pgsql/sql/plan_independence.h"

namespace proxymux::pgsql {
namespace {

constexpr Duration kNextTry = std::chrono::seconds(1);

constexpr std::uint32_t kTextOid = 25;  // pg_type.oid of text, the same in every server

// FNV-1a: the same in every process and release.
class Hash {
 public:
  void Add(std::string_view bytes) {
    for (const char c : bytes) Add(static_cast<unsigned char>(c));
  }
  void Add(std::uint32_t value) {
    for (int i = 0; i < 4; ++i) Add(static_cast<unsigned char>(value >> (8 * i)));
  }
  std::uint64_t value() const { return value_; }

 private:
  void Add(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3u; }

  std::uint64_t value_ = 0xcbf29ce484222325u;
};

// The number of the parameter that a message of the server names, from 1; 0 when it names none.
std::size_t ParameterIn(std::string_view message) {
  const std::size_t dollar = message.find('$');
  if (dollar == std::string_view::npos) return 0;
  std::size_t number = 0;
  std::from_chars(message.data() + dollar + 1, message.data() + message.size(), number);
  return number;
}

}  // namespace

StatementPlan::StatementPlan(const QueryTemplate& query, const StatementClass& statement,
                             config::StatementMode mode) {
  switch (mode) {
    case config::StatementMode::kLegacy:
      text_reason_ = "statement_mode is legacy";
      return;
    case config::StatementMode::kAuto:
      automatic_ = true;
      form_ = StatementForm::kPrepared;
      break;
    case config::StatementMode::kPrepared:
      bound_ = Bound::kEverywhere;
      form_ = StatementForm::kPrepared;
      break;
    case config::StatementMode::kParameterized:
      bound_ = Bound::kEverywhere;
      form_ = StatementForm::kParameterized;
      break;
  }
  const BindPlan& bind = query.bind(bound_);
  text_reason_ = bind.text_reason();
  if (mode == config::StatementMode::kAuto && bind.possible()) {
    text_reason_ = WhyPlanMatters(query.source(), query.tokens(), statement);
  }
  if (!text_reason_.empty()) {
    form_ = StatementForm::kText;
    return;
  }
  sql_ = bind.query();
  may_declare_ = OnlyKnownFunctions(query.source(), query.tokens());
  types_.assign(bind.parameter_count(), 0);
  Rename();
}

void StatementPlan::Rename() {
  Hash hash;
  hash.Add(sql_);
  for (const std::uint32_t type : types_) hash.Add(type);
  id_ = hash.value();
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), id_, 16).ptr;
  name_ = "proxymux_" + std::string(digits.data(), end);
}

void StatementPlan::OnUntyped(std::string_view message) {
  const std::size_t parameter = ParameterIn(message);
  if (!may_declare_ || parameter == 0 || parameter > types_.size() ||
      types_[parameter - 1] == kTextOid) {
    OnRefused(message);
    return;
  }
  types_[parameter - 1] = kTextOid;
  Rename();
}

void StatementPlan::OnRefused(std::string_view reason) {
  if (state_ != State::kTrusted) return;
  state_ = State::kRefused;
  text_reason_ = "the server refused it with parameters: ";
  text_reason_ += reason;
}

bool StatementPlan::OnTextAnswered() {
  if (state_ != State::kRefused) return false;
  state_ = State::kSettled;
  return true;
}

void StatementPlan::OnTextFailed(Time now) {
  if (form_ == StatementForm::kText || state_ == State::kSettled) return;
  state_ = State::kTrusted;
  text_reason_.clear();
  PutOff(now);
}

void StatementPlan::PutOff(Time now) { text_until_ = now + kNextTry; }

}  // namespace proxymux::pgsql
