#include "tests/differential/table_asker.h"

#include <optional>

#include "proxy/text/key_fold.h"
#include "proxy/text/utf8.h"
#include "tests/differential/deliberate_differences.h"
#include "tests/differential/stock_oracle.h"

namespace proxymux::differential {
namespace {

using harness::Answer;
using harness::ProxymapClient;
using protocol::Status;

// What clients send, as captured: see tests/golden. A 3.7 client folds and checks the key itself;
// with smtputf8_enable = no it leaves both to the server.
constexpr std::uint32_t kOlderFlags = harness::kPostmapFlags;
constexpr std::uint32_t kOlderFlagsNoUtf8 = 540737;
constexpr std::uint32_t kInstanceFlags = 540737;

constexpr char kOnWire[] = "stock proxymap, proxymux";

}  // namespace

bool InMainCf(const std::string& name) { return name.find('.') == std::string::npos; }

std::string CopyName(const std::string& name, const std::string& mode) {
  const std::size_t stem = name.rfind(".cf");
  return stem == std::string::npos ? name + "_" + mode : name.substr(0, stem) + "--" + mode + ".cf";
}

std::string WithMode(const std::string& text, const std::string& mode) {
  if (text.empty()) return text;
  return text + (text.ends_with('\n') ? "" : "\n") + "statement_mode = " + mode + "\n";
}

std::string TableAsker::NameOf(const std::string& name) const {
  return InMainCf(name) ? "pgsql:" + name : postfix_.Table(name);
}

Answered TableAsker::Older(ProxymapClient& client, const char* who, const std::string& table,
                           const std::string& key) {
  std::string sent = key;
  if (options_.smtputf8 && proxy::IsValidUtf8(key)) proxy::FoldUtf8(key, &sent);
  return FromWire(client.Lookup(table, sent, options_.smtputf8 ? kOlderFlags : kOlderFlagsNoUtf8),
                  who, table);
}

Answered TableAsker::Newer(const std::string& table, const std::string& key, std::uint32_t flags) {
  const Answer answer = newer_.Ask(protocol::LookupRequest{table, kInstanceFlags, flags, key});
  Answered answered = FromWire(answer, "proxymux, newer dialect", table);
  if (answer.flags != flags) answered.messages = "flags " + std::to_string(answer.flags);
  return answered;
}

void TableAsker::Compare(const std::string& between, const DifferentialTable& table,
                         const std::string& key, const Answered& stock, const Answered& ours,
                         ComparisonReport& report, const std::string& mode) const {
  ++report.comparisons;
  if (Equal(stock, ours, table.row_order_defined)) return;
  const DeliberateDifference* row = Explain({table, key, options_.smtputf8, mode, stock, ours});
  if (row != nullptr) {
    ++report.deliberate[row->name];
    return;
  }
  report.unexplained.push_back(
      {between, table.name, table.text, key, Describe(stock), Describe(ours)});
}

ComparisonReport TableAsker::Ask(const DifferentialTable& table,
                                 const std::vector<std::string>& wanted) {
  const std::string name = NameOf(table.name);
  ComparisonReport report;
  report.tables = 1;

  // Ours first: it tells which keys stock is likely to stumble over.
  const std::uint32_t flags = newer_.Open(name, kInstanceFlags).flags;
  older_.Open(name, 0);
  std::vector<Answered> replies, ours;  // as sent, and as a client sees them
  std::vector<bool> suspect;
  std::vector<std::string> keys;
  std::size_t suspects = 0;
  for (const std::string& key : wanted) {
    const Answered reply = Older(older_, "proxymux, older dialect", name, key);
    const Answered seen = AsClientSees(reply, options_.smtputf8);
    const bool dubious = !seen.Is(Status::kNoKey) && !seen.Is(Status::kOk);
    if (dubious && ++suspects > options_.most_errors && options_.most_errors > 0) {
      ++report.passed_over;
      continue;
    }
    keys.push_back(key);
    replies.push_back(reply);
    ours.push_back(seen);
    suspect.push_back(dubious);
    const Answered newer = Newer(name, key, flags);
    ++report.comparisons;
    if (!Equal(ours.back(), newer, table.row_order_defined) || !newer.messages.empty()) {
      report.unexplained.push_back({"proxymux older dialect, newer dialect", table.name, table.text,
                                    key, Describe(ours.back()), Describe(newer)});
    }
  }

  report.keys = keys.size();
  const std::vector<DirectVerdict> direct =
      StockOracle(postfix_.config_directory(), name).Ask(keys, suspect);
  if (!table.plan_decides && !table.malformed) {
    for (const std::string& mode : options_.further_modes) {
      const std::string between = "stock direct, proxymux " + mode;
      const std::string copy = NameOf(CopyName(table.name, mode));
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!suspect[i] && i % options_.further_every != 0) continue;
        const Answered reply = Older(older_, "proxymux, older dialect", copy, keys[i]);
        Compare(between, table, keys[i], FromDirect(direct[i]),
                AsClientSees(reply, options_.smtputf8), report, mode);
      }
    }
  }

  // One error takes the table's hosts out for a minute in that process, so such keys come last,
  // and one is enough. A broken table would end the process.
  // Stock applies UTF-8 rules to a table as its first client opened it, which Postfix does with 0.
  std::optional<std::size_t> error;
  if (!direct.empty() && direct[0].outcome != DirectVerdict::Outcome::kBroken) {
    stock_.Open(name, 0);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Answered stock = FromDirect(direct[i]);
    report.found += stock.Is(Status::kOk);
    report.errors += !stock.Is(Status::kOk) && !stock.Is(Status::kNoKey);
    if (stock.Is(Status::kOk)) report.fruitful.insert(table.name);
    Compare("stock direct, proxymux", table, keys[i], stock, ours[i], report);
    // Clients send no key that is not UTF-8.
    if (stock.broken || (options_.smtputf8 && !proxy::IsValidUtf8(keys[i]))) continue;
    if (stock.Is(Status::kRetry)) {
      error = i;
    } else {
      Compare(kOnWire, table, keys[i], Older(stock_, "stock", name, keys[i]), replies[i], report);
    }
  }
  if (error) {
    Answered stock = Older(stock_, "stock", name, keys[*error]);
    // On the wire stock does not say why; directly it did.
    if (stock.Is(Status::kRetry)) stock.messages = direct[*error].messages;
    Compare(kOnWire, table, keys[*error], stock, replies[*error], report);
  }
  return report;
}

}  // namespace proxymux::differential
