#include "proxy/tables/key_preparation.h"

#include "pgsql/sql/key_parts.h"
#include "proxy/text/key_fold.h"
#include "proxy/text/utf8.h"

namespace proxymux::proxy {

KeyRules KeyRulesOf(const protocol::LookupRequest& request, protocol::Dialect dialect,
                    bool smtputf8_enable) {
  KeyRules rules;
  rules.utf8_active = protocol::Utf8Active(request.instance_flags, smtputf8_enable);
  rules.folding = protocol::FoldingOf(request.flags, rules.utf8_active, dialect);
  rules.smtputf8_enable = smtputf8_enable;
  return rules;
}

PreparedKey KeyPreparation::Prepare(const pgsql::CompiledTable& table, std::string_view key,
                                    const KeyRules& rules) {
  PreparedKey prepared;
  prepared.key = key;
  if (rules.utf8_active && !IsValidUtf8(key)) {
    prepared.valid = false;
    return prepared;
  }
  bool folded = false;
  switch (rules.folding) {
    case protocol::Folding::kNone:
      break;
    case protocol::Folding::kAscii:
      FoldAscii(key, &folded_key_);
      folded = true;
      break;
    case protocol::Folding::kUnicode:
      folded = FoldUtf8(key, &folded_key_);
      break;
  }
  if (folded) {
    prepared.folding = rules.folding;
    prepared.key = folded_key_;
  }
  const pgsql::KeyParts parts(prepared.key);
  if (!table.domain().unrestricted()) {
    FoldDomain(parts.domain(), rules.smtputf8_enable, &folded_domain_);
    prepared.folded_domain = folded_domain_;
  }
  prepared.preparation = table.Prepare(parts, prepared.folded_domain);
  return prepared;
}

}  // namespace proxymux::proxy
