#include "proxy/compare/comparison.h"

#include <cstdio>

#include "proxy/text/shown_text.h"

namespace proxymux::proxy {
namespace {

using Kind = KeyAnswer::Kind;

// Of the errors that both have.
constexpr std::size_t kMostShown = 5;

constexpr std::size_t kErrorBytes = 1000;  // with the reasons before it

std::string Shown(const KeyAnswer& answer) {
  switch (answer.kind) {
    case Kind::kFound:
      return QuotedText(answer.text);
    case Kind::kNotFound:
      return "not found";
    case Kind::kError:
      return "error: " + ShownText(answer.text, kErrorBytes);
    case Kind::kNotAsked:
      return "not asked";
  }
  return "";
}

std::string PerKey(const ComparedTable::Timing& timing) {
  if (timing.keys == 0) return "an unknown time";
  char text[40];
  std::snprintf(text, sizeof(text), "%.2f ms",
                timing.time.count() * 1000 / static_cast<double>(timing.keys));
  return text;
}

}  // namespace

// What either says of an error is in its own words.
bool ComparedTable::IsSettled(const KeyAnswer& stock, const KeyAnswer& ours) {
  if (stock.kind == Kind::kNotAsked || ours.kind == Kind::kNotAsked) return true;
  return stock.kind == ours.kind && (stock.kind != Kind::kFound || stock.text == ours.text);
}

void ComparedTable::Add(const std::string& key, const KeyAnswer& stock, const KeyAnswer& ours) {
  if (stock.kind == Kind::kNotAsked || ours.kind == Kind::kNotAsked) {
    ++not_asked;
  } else if (stock.kind == Kind::kError && ours.kind == Kind::kError) {
    ++errors;
    if (shown_errors.size() < kMostShown) {
      shown_errors.push_back("key " + QuotedText(key) + ": both: " + Shown(ours));
    }
  } else if (!IsSettled(stock, ours)) {
    differences.push_back("key " + QuotedText(key) + ": stock: " + Shown(stock) +
                          "; proxymux: " + Shown(ours));
  } else {
    ++(stock.kind == Kind::kFound ? found : not_found);
  }
}

bool ComparedTable::IsSame() const {
  const bool any_answer = found + not_found > 0;
  return differences.empty() && not_asked == 0 && (errors == 0 || any_answer);
}

std::string ComparedTable::Text() const {
  std::string text = name + ": " + std::to_string(keys()) + " keys: " + std::to_string(found) +
                     " found by both, " + std::to_string(not_found) + " by neither, " +
                     std::to_string(differences.size()) + " differences, " +
                     std::to_string(errors) + " errors of both";
  if (not_asked > 0) text += ", " + std::to_string(not_asked) + " not asked after too many errors";
  text += "; a key takes stock " + PerKey(stock) + ", proxymux " + PerKey(ours) + "\n";
  for (const std::string& difference : differences) text += "  " + difference + "\n";
  for (const std::string& error : shown_errors) text += "  " + error + "\n";
  if (errors > shown_errors.size()) {
    text += "  and " + std::to_string(errors - shown_errors.size()) + " more errors of both\n";
  }
  return text;
}

}  // namespace proxymux::proxy
