// A lookup's key made ready for its table: checked, folded, taken apart, and held against what the
// table asks of it. The one place where that is decided, for the service and for `proxymux lookup`.
//
// By the flags of the request, in its dialect: with UTF-8 rules in force a key that is not valid
// UTF-8 is no key of any table; FOLD_FIX folds it (protocol/dict_flags.h). What ICU cannot fold is
// looked up as it is. The domain is folded only for a table whose `domain` list restricts.
//
// Pure. Does not ask the tables that a `domain` list names: that is Preparation::Kind::kNeedTable,
// and CompiledTable::ResumePrepare goes on from there. Nothing is allocated once the two buffers
// are large enough.
#pragma once

#include <string>
#include <string_view>

#include "pgsql/table/compiled_table.h"
#include "protocol/dialect.h"
#include "protocol/dict_flags.h"
#include "protocol/request.h"

namespace proxymux::proxy {

// What a request's flags mean for its key.
struct KeyRules {
  bool utf8_active = false;  // UTF-8 rules are in force, for key and result
  protocol::Folding folding = protocol::Folding::kNone;
  bool smtputf8_enable = false;  // how domains are folded
};
KeyRules KeyRulesOf(const protocol::LookupRequest& request, protocol::Dialect dialect,
                    bool smtputf8_enable);

// Views are good until the next Prepare(), and as long as the key that was given.
struct PreparedKey {
  bool valid = true;  // false: not valid UTF-8; of the rest only `key`, as it came
  protocol::Folding folding = protocol::Folding::kNone;  // what was done, not what was asked for
  std::string_view key;                                  // folded
  std::string_view folded_domain;  // empty for a table that asks for no domain
  pgsql::Preparation preparation;  // its views live as long as the table
};

class KeyPreparation {
 public:
  KeyPreparation() = default;
  KeyPreparation(const KeyPreparation&) = delete;
  KeyPreparation& operator=(const KeyPreparation&) = delete;

  PreparedKey Prepare(const pgsql::CompiledTable& table, std::string_view key,
                      const KeyRules& rules);

 private:
  std::string folded_key_;
  std::string folded_domain_;
};

}  // namespace proxymux::proxy
