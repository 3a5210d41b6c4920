// The one list of settings of proxymux.yaml.
//
// Every row says what a setting is called, where it stands, what it may be, what it is when absent,
// whether a reload takes it up, and how to explain it. The loader, `proxymux config show`,
// `proxymux config reference` and the test of the manual page all read this list; a new setting is
// one member in server_config.h and one row in option_table.cc.
//
// A row reaches its member through a pointer to member; the member's C++ type is the option's type,
// so the two cannot disagree:
//   Milliseconds -> duration, std::size_t -> size, std::int64_t -> integer, bool -> bool,
//   std::string -> string (of the listed words only, if any are listed, or empty),
//   an enum class -> one of the listed words, in the order of the enumerators from 0.
// The rows live for the whole program; a pointer to one stays valid.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/values/server_config.h"

namespace proxymux::config {

enum class OptionScope { kServer, kPool, kTable };
enum class OptionType { kDuration, kSize, kInteger, kBool, kString, kEnum };

// An enum member of Struct, reached as a number: the index into the row's words.
template <typename Struct>
struct EnumMember {
  std::size_t (*get)(const Struct&);
  void (*set)(Struct&, std::size_t);
};

template <typename Struct>
using OptionMember =
    std::variant<Milliseconds Struct::*, std::size_t Struct::*, std::int64_t Struct::*,
                 bool Struct::*, std::string Struct::*, EnumMember<Struct>>;

struct Option {
  std::string_view name;  // within its scope; "admin.listen" is `listen` in the section `admin`
  std::variant<OptionMember<ServerConfig>, OptionMember<PoolSettings>, OptionMember<TableSettings>>
      member;
  std::string_view default_text;
  // Bounds, both included, in the member's unit (ms, bytes, plain); not used for other types.
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::vector<std::string_view> words = {};  // for enums, and for strings that allow only some
  bool reloadable = true;                    // false: a change is taken up at the next start
  bool security = false;  // falling back to the default could weaken security (sslmode, ...)
  // For strings that have a form: whether `text` has it, and what to write instead.
  bool (*accepts)(std::string_view text) = nullptr;
  std::string_view form = {};
  std::string_view help;  // one or two sentences, without a final line break

  OptionScope scope() const { return static_cast<OptionScope>(member.index()); }
  OptionType type() const;
};

std::span<const Option> Options();

// Exact names only; nullptr when there is none.
const Option* FindOption(OptionScope scope, std::string_view name);

// Every name of a scope, in the table's order (for suggestions).
std::vector<std::string_view> OptionNames(OptionScope scope);

}  // namespace proxymux::config
