#include "tests/differential/deliberate_differences.h"

#include <algorithm>
#include <regex>

#include "proxy/text/utf8.h"
#include "tests/differential/differential_world.h"

namespace proxymux::differential {
namespace {

using protocol::Status;

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The table's setting, "" when it has none. Good for one line only.
std::string Setting(const DifferentialTable& table, const std::string& name) {
  std::smatch found;
  const std::regex line("(?:^|\n)" + name + "[ \t]*=[ \t]*([^\n]*)");
  return std::regex_search(table.text, found, line) ? found[1].str() : "";
}

bool SameOrFewer(const Difference& d) {
  return d.ours.Is(Status::kNoKey) || d.ours.Is(Status::kOk);
}

// What stands for the key outside of quotes: plain numbers are inserted, nothing else.
bool IsPlainNumber(const std::string& text) {
  static const std::regex number("-?[0-9]+(\\.[0-9]+)?");
  return std::regex_match(text, number);
}

std::string UserOf(const std::string& key) { return key.substr(0, key.rfind('@')); }

std::vector<DeliberateDifference> OfEveryRelease() {
  return {
      {"statement-error-is-config",
       "an error of the statement's own (SQLSTATE class 42) is CONFIG, where stock says RETRY "
       "(pgsql-table, Hosts)",
       [](const Difference& d) {
         return !d.stock.broken && d.stock.Is(Status::kRetry) && d.ours.Is(Status::kConfig) &&
                Has(d.stock.messages, "ERROR:") &&
                DifferentialWorld::Instance().IsStatementError(d.stock.messages);
       }},
      {"broken-table-is-config",
       "a malformed or missing table file is CONFIG for this table only, where stock's process "
       "ends "
       "(proxymap-protocol, Tables)",
       [](const Difference& d) { return d.stock.broken && d.ours.Is(Status::kConfig); }},
      {"domain-file-missing-is-retry",
       "a member of the domain list that cannot be opened is RETRY when it would decide, where "
       "stock's process ends (pgsql-table, Key to query)",
       [](const Difference& d) {
         if (!d.stock.broken || !Has(d.stock.messages, "fatal: open file")) return false;
         const std::size_t at = d.key.rfind('@');
         const bool address = at != std::string::npos && at > 0;
         // An earlier member, which is a name, may decide before.
         const bool earlier = address && Has(Setting(d.table, "domain"), d.key.substr(at + 1));
         return address && !earlier ? d.ours.Is(Status::kRetry) || !proxy::IsValidUtf8(d.key)
                                    : SameOrFewer(d);
       }},
      {"value-over-max_value",
       "a value larger than max_value, 1 MiB in this suite, is RETRY, so that no query can make "
       "the "
       "service hold more (proxymux.yaml(5))",
       [](const Difference& d) {
         return d.stock.Is(Status::kOk) && d.stock.value.size() > (1 << 20) &&
                d.ours.Is(Status::kRetry);
       }},
      {"backslash-in-escape-constant",
       "inside E'' backslashes of the key are escaped too, where stock is injectable (pgsql-table, "
       "Text or parameters)",
       [](const Difference& d) { return d.table.traits.count("escape") != 0 && Has(d.key, "\\"); }},
      {"unquoted-number-only",
       "outside of quotes only a plain number is inserted, all else is RETRY, where stock is "
       "injectable (pgsql-table, Text or parameters)",
       [](const Difference& d) {
         return d.table.traits.count("unquoted") != 0 && d.ours.Is(Status::kRetry) &&
                !d.stock.Is(Status::kRetry) &&
                (d.table.traits.count("unquoted-label") != 0
                     ? !IsPlainNumber(d.key.substr(d.key.find_last_of(".@") + 1))
                     : !IsPlainNumber(d.key) && !(Has(d.key, "@") && IsPlainNumber(UserOf(d.key))));
       }},
      {"key-leaves-its-token",
       "a key that would end the comment, dollar quote or name that it stands in is RETRY, where "
       "stock is injectable (pgsql-table, Text or parameters)",
       [](const Difference& d) {
         return d.table.traits.count("open") != 0 && d.ours.Is(Status::kRetry) &&
                !d.stock.Is(Status::kRetry) &&
                d.key.find_first_of("*/$\"\n\r") != std::string::npos;
       }},
      {"unquoted-is-bound",
       "parameterized and prepared, when the table asks for them, bind what stands outside of "
       "quotes: it has the type that is wanted there, not that of a number (pgsql-table, Text or "
       "parameters)",
       [](const Difference& d) {
         return d.table.traits.count("unquoted") != 0 &&
                (d.mode == "parameterized" || d.mode == "prepared");
       }},
      {"encoding-is-obeyed",
       "a table's encoding counts under every release; stock before 3.8 has LATIN1 (pgsql-table, "
       "The .cf file)",
       [](const Difference& d) {
         const std::string encoding = Setting(d.table, "encoding");
         return !encoding.empty() && encoding != "LATIN1" &&
                (!proxy::IsAscii(d.key) || !proxy::IsAscii(d.stock.value) ||
                 !proxy::IsAscii(d.ours.value) || Has(d.stock.messages, "encoding"));
       },
       {3, 8}},
      {"ipv6-in-brackets",
       "a host may be an IPv6 address in brackets; stock cannot read these (pgsql-table, Host "
       "parsing)",
       [](const Difference& d) {
         return Setting(d.table, "hosts").starts_with("[") && d.stock.Is(Status::kRetry) &&
                SameOrFewer(d);
       }},
      {"empty-domain-in-a-table",
       "user@ has no domain to look up in a type:table of the domain list: stock proxymap, which "
       "is "
       "asked, answers no empty key; stock's own client finds it in a table that matches "
       "everything",
       [](const Difference& d) {
         return d.key.size() > 1 && d.key.ends_with("@") && d.ours.Is(Status::kNoKey) &&
                Has(Setting(d.table, "domain"), ":");
       }},
      {"postgres-uri",
       "postgres:// hosts work under every release; stock reads them from 3.10 on (pgsql-table, "
       "The "
       ".cf file)",
       [](const Difference& d) {
         return Setting(d.table, "hosts").starts_with("postgres://") &&
                d.stock.Is(Status::kRetry) && SameOrFewer(d);
       },
       {3, 10}},
  };
}

}  // namespace

const std::vector<DeliberateDifference>& DeliberateDifferences() {
  static const std::vector<DeliberateDifference> rows = [] {
    std::vector<DeliberateDifference> all = OfEveryRelease();
    std::erase_if(all, [](const DeliberateDifference& row) {
      return harness::TheInstalledPostfix().release >= row.until;
    });
    return all;
  }();
  return rows;
}

const DeliberateDifference* Explain(const Difference& difference) {
  const auto& rows = DeliberateDifferences();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const DeliberateDifference& r) {
    return r.explains(difference);
  });
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace proxymux::differential
