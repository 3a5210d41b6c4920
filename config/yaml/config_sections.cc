#include "config/yaml/config_sections.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "config/values/hidden_text.h"
#include "config/values/nearest_name.h"
#include "config/yaml/option_table.h"
#include "config/yaml/option_value.h"
#include "config/yaml/section_hints.h"
#include "config/yaml/security_mentions.h"

namespace proxymux::config {
namespace {

// More are counted but not shown.
constexpr std::size_t kMostDiagnostics = 100;

class SectionReader {
 public:
  explicit SectionReader(const std::string& file) : file_(file) {}

  LoadedConfig Read(const YamlNode& document) {
    switch (document.kind) {
      case YamlKind::kNull:
        break;
      case YamlKind::kScalar:
      case YamlKind::kSequence:
        Error(document, "expected `setting: value` lines, not " + std::string(KindName(document)),
              "");
        if (Mentions(document)) Weaken();
        break;
      case YamlKind::kMapping:
        ReadTopLevel(document);
        break;
    }
    auto& diagnostics = result_.diagnostics;
    std::stable_sort(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& a, const Diagnostic& b) {
                       return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                     });
    if (diagnostics.size() > kMostDiagnostics) {
      const std::string more = std::to_string(diagnostics.size() - kMostDiagnostics);
      diagnostics.resize(kMostDiagnostics);
      diagnostics.push_back({file_, 0, 0, Severity::kError, more + " more errors", ""});
    }
    return std::move(result_);
  }

 private:
  // Called after an error was reported; `security`: it could hide a wish for more security.
  using OnError = std::function<void(bool security)>;

  void Error(const YamlNode& where, std::string text, std::string hint) {
    result_.diagnostics.push_back(
        {file_, where.line, where.column, Severity::kError, std::move(text), std::move(hint)});
  }

  // Makes the error that was reported last one that no table may be served with.
  void Weaken() {
    if (result_.all_tables_broken) return;
    result_.all_tables_broken = true;
    result_.all_tables_broken_reason = result_.diagnostics.back().ToString();
  }

  // The members of a mapping with usable keys; reports the others. The first of duplicates stays.
  std::vector<std::pair<const YamlNode*, const YamlNode*>> UniqueMembers(
      const YamlNode& mapping, const std::function<void(const YamlNode& key, bool)>& on_error) {
    std::vector<std::pair<const YamlNode*, const YamlNode*>> members;
    std::map<std::string_view, const YamlNode*> seen;
    for (const auto& [key, value] : mapping.members) {
      const bool security = Mentions(key) || Mentions(value);
      if (key.kind != YamlKind::kScalar || key.scalar.empty()) {
        Error(key, "expected a name before the \":\", not " + std::string(KindName(key)), "");
        on_error(key, security);
        continue;
      }
      const auto [first, is_new] = seen.try_emplace(key.scalar, &key);
      if (!is_new) {
        Error(key, "\"" + WithoutSecrets(key.scalar) + "\" is set twice",
              "it is already set in line " + std::to_string(first->second->line));
        on_error(key, security);
        continue;
      }
      members.emplace_back(&key, &value);
    }
    return members;
  }

  // A value that has to be a section. Null is an empty one.
  bool IsSection(const YamlNode& key, const YamlNode& value) {
    if (value.kind == YamlKind::kMapping || value.kind == YamlKind::kNull) return true;
    Error(value,
          "\"" + WithoutSecrets(key.scalar) + "\" is a section: expected settings below it, not " +
              std::string(KindName(value)),
          "");
    return false;
  }

  template <typename Struct>
  void ReadSetting(const Option& option, const YamlNode& key, const YamlNode& value, Struct* to,
                   const OnError& on_error) {
    const bool security = option.security || Mentions(value);
    const std::string name(option.name);
    switch (value.kind) {
      case YamlKind::kScalar:
        if (const auto unfit = SetOption(option, value.scalar, to)) {
          Error(value, name + ": " + *unfit, DidYouMean(value.scalar, option.words));
          on_error(security);
        }
        return;
      case YamlKind::kNull:
        Error(key, name + " has no value: expected " + DescribeType(option),
              "write \"\" for an empty text, or remove the line");
        break;
      case YamlKind::kSequence:
      case YamlKind::kMapping:
        Error(value,
              name + ": expected " + DescribeType(option) + ", not " + std::string(KindName(value)),
              "");
        break;
    }
    on_error(security);
  }

  // One section of pool or table settings.
  template <typename Struct>
  void ReadSettings(const YamlNode& section, OptionScope scope, Struct* to,
                    const OnError& on_error) {
    const auto members = UniqueMembers(section, [&](const YamlNode& key, bool security) {
      on_error(security || LooksLikeSecurityOption(key.scalar));
    });
    for (const auto& [key, value] : members) {
      if (IsGroup(scope, key->scalar)) {
        if (IsSection(*key, *value)) {
          ReadGroup(*key, *value, scope, to, on_error);
        } else {
          on_error(Mentions(*value));
        }
        continue;
      }
      const Option* const option = FindOption(scope, key->scalar);
      const bool dotted = key->scalar.find('.') != std::string::npos;
      if (option != nullptr && !dotted) {
        ReadSetting(*option, *key, *value, to, on_error);
        continue;
      }
      std::string hint = option != nullptr ? AsSection(key->scalar) : WhereItBelongs(key->scalar);
      if (hint.empty()) hint = DidYouMean(key->scalar, NamesIn(scope));
      Error(*key, "unknown setting \"" + WithoutSecrets(key->scalar) + '"', hint);
      on_error(LooksLikeSecurityOption(key->scalar) || Mentions(*value));
    }
  }

  void ReadTopLevel(const YamlNode& document) {
    const OnError elsewhere = [this](bool security) {
      if (security) Weaken();
    };
    std::vector<std::string_view> names = NamesIn(OptionScope::kServer);
    names.insert(names.begin(), {"pool", "pools", "table", "tables"});
    // Defaults come before what is merged with them.
    std::map<std::string_view, const YamlNode*> sections;
    const auto members = UniqueMembers(document, [&](const YamlNode& key, bool security) {
      // A second `pools:` may name pools without naming a security option that the first restrains.
      elsewhere(security || key.scalar == "pool" || key.scalar == "pools" ||
                LooksLikeSecurityOption(key.scalar));
    });
    for (const auto& [key, value] : members) {
      const std::string& name = key->scalar;
      if (name == "pool" || name == "pools" || name == "table" || name == "tables") {
        const bool of_pools = name == "pool" || name == "pools";
        if (IsSection(*key, *value)) {
          sections[name] = value;
        } else {
          elsewhere(of_pools || Mentions(*value));
        }
      } else if (IsGroup(OptionScope::kServer, name)) {
        if (IsSection(*key, *value)) {
          ReadGroup(*key, *value, OptionScope::kServer, &result_.config, elsewhere);
        } else {
          elsewhere(Mentions(*value));
        }
      } else if (const Option* option = FindOption(OptionScope::kServer, name);
                 option != nullptr && name.find('.') == std::string::npos) {
        ReadSetting(*option, *key, *value, &result_.config, elsewhere);
      } else {
        std::string hint = name.find('.') == std::string::npos ? WhereItBelongs(name) : "";
        if (option != nullptr) hint = AsSection(name);
        if (hint.empty()) hint = DidYouMean(name, names);
        Error(*key, "unknown setting \"" + WithoutSecrets(name) + '"', hint);
        const std::string nearest = NearestName(name, {"pool", "pools"});
        elsewhere(!nearest.empty() || LooksLikeSecurityOption(name) || Mentions(*value));
      }
    }
    if (const YamlNode* pool = sections["pool"]) {
      ReadSettings(*pool, OptionScope::kPool, &result_.config.pool, elsewhere);
    }
    if (const YamlNode* table = sections["table"]) {
      ReadSettings(*table, OptionScope::kTable, &result_.config.table, elsewhere);
    }
    if (const YamlNode* pools = sections["pools"]) ReadPools(*pools);
    if (const YamlNode* tables = sections["tables"]) ReadTables(*tables);
  }

  // `admin: {listen: ...}`: options with a dot.
  template <typename Struct>
  void ReadGroup(const YamlNode& group, const YamlNode& section, OptionScope scope, Struct* to,
                 const OnError& on_error) {
    const std::string prefix = group.scalar + '.';
    std::vector<std::string_view> names;
    for (const std::string_view name : OptionNames(scope)) {
      if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
    }
    const auto members = UniqueMembers(section, [&](const YamlNode& key, bool security) {
      on_error(security || LooksLikeSecurityOption(key.scalar));
    });
    for (const auto& [key, value] : members) {
      if (const Option* option = FindOption(scope, prefix + key->scalar)) {
        ReadSetting(*option, *key, *value, to, on_error);
        continue;
      }
      std::string hint = WhereItBelongs(key->scalar);
      if (hint.empty()) hint = DidYouMean(key->scalar, names);
      Error(*key,
            "unknown setting \"" + WithoutSecrets(key->scalar) + "\" in \"" + group.scalar + '"',
            hint);
      on_error(LooksLikeSecurityOption(key->scalar) || Mentions(*value));
    }
  }

  void ReadPools(const YamlNode& section) {
    const auto members = UniqueMembers(section, [this](const YamlNode& key, bool) {
      // Whatever a pool without a usable name was to be, it is not what it was to be.
      if (key.kind == YamlKind::kScalar && !key.scalar.empty()) {
        result_.broken_pools.insert(key.scalar);
      } else {
        Weaken();
      }
    });
    for (const auto& [key, value] : members) {
      const OnError broken = [this, name = key->scalar](bool) {
        result_.broken_pools.insert(name);
      };
      PoolSettings& pool =
          result_.config.pools.emplace(key->scalar, result_.config.pool).first->second;
      if (!IsSection(*key, *value)) {
        broken(true);
      } else {
        ReadSettings(*value, OptionScope::kPool, &pool, broken);
      }
    }
  }

  void ReadTables(const YamlNode& section) {
    const auto members = UniqueMembers(section, [this](const YamlNode& key, bool security) {
      if (const auto name = NormalTableName(key.scalar)) {
        result_.broken_tables.insert(*name);
      } else if (security) {
        Weaken();
      }
    });
    for (const auto& [key, value] : members) {
      const std::optional<std::string> name = NormalTableName(key->scalar);
      if (!name) {
        Error(*key, "\"" + WithoutSecrets(key->scalar) + "\" is no table: expected \"pgsql:NAME\"",
              key->scalar.starts_with('/') ? "write \"pgsql:" + key->scalar + '"' : "");
        // The table that was meant, if there is one, is served as if this were not here.
        if (key->scalar.starts_with('/')) result_.broken_tables.insert("pgsql:" + key->scalar);
        if (Mentions(*value)) Weaken();
        continue;
      }
      const OnError broken = [this, &name](bool) { result_.broken_tables.insert(*name); };
      const auto [table, is_new] = result_.config.tables.emplace(*name, result_.config.table);
      if (!is_new) {
        Error(*key, "\"" + *name + "\" is set twice, with and without \"proxy:\"", "");
        broken(false);
      } else if (!IsSection(*key, *value)) {
        broken(false);
      } else {
        ReadSettings(*value, OptionScope::kTable, &table->second, broken);
      }
    }
  }

  const std::string& file_;
  LoadedConfig result_;
};

}  // namespace

LoadedConfig ReadSections(const YamlNode& document, const std::string& file) {
  return SectionReader(file).Read(document);
}

}  // namespace proxymux::config
