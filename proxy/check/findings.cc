#include "proxy/check/findings.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "proxy/text/shown_text.h"

namespace proxymux::proxy {
namespace {

using config::Diagnostic;
using config::Severity;

// Of the places of one mistake so many are told.
constexpr std::size_t kMostPlaces = 5;

bool SaysTheSame(const Diagnostic& a, const Diagnostic& b) {
  return std::tie(a.severity, a.text, a.hint) == std::tie(b.severity, b.text, b.hint);
}

}  // namespace

void Findings::Add(const Diagnostic& finding) {
  if (std::ranges::find(files_, finding.file) == files_.end()) files_.push_back(finding.file);
  const auto same = std::ranges::find_if(
      findings_, [&](const Finding& known) { return SaysTheSame(known.said, finding); });
  if (same == findings_.end()) {
    findings_.push_back({finding, {}});
    return;
  }
  const auto at_this_place = [&](const Diagnostic& known) {
    return known.Place() == finding.Place();
  };
  if (at_this_place(same->said) || std::ranges::any_of(same->also, at_this_place)) return;
  same->also.push_back(finding);
}

void Findings::Error(std::string file, int line, std::string text, std::string hint) {
  Add({std::move(file), line, 0, Severity::kError, std::move(text), std::move(hint)});
}

void Findings::Warning(std::string file, int line, std::string text, std::string hint) {
  Add({std::move(file), line, 0, Severity::kWarning, std::move(text), std::move(hint)});
}

void Findings::Note(std::string file, int line, std::string text, std::string hint) {
  Add({std::move(file), line, 0, Severity::kNote, std::move(text), std::move(hint)});
}

std::size_t Findings::Count(Severity severity) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      findings_, [&](const Finding& finding) { return finding.said.severity == severity; }));
}

std::vector<const Findings::Finding*> Findings::InOrder() const {
  std::vector<const Finding*> order;
  for (const Finding& finding : findings_) order.push_back(&finding);
  const auto rank = [this](const Finding* finding) {
    return std::pair(std::ranges::find(files_, finding->said.file) - files_.begin(),
                     finding->said.line);
  };
  std::ranges::stable_sort(order, {}, rank);
  return order;
}

std::string Findings::Text() const {
  std::string text;
  for (const Finding* finding : InOrder()) {
    const Diagnostic& said = finding->said;
    const std::string place = said.Place();
    if (!place.empty()) text += ShownText(place) + ": ";
    text += std::string(config::Word(said.severity)) + ": " + ShownText(said.text);
    if (!said.hint.empty()) text += "; " + ShownText(said.hint);
    const std::size_t others = finding->also.size();
    for (std::size_t i = 0; i < std::min(others, kMostPlaces); ++i) {
      text += (i == 0 ? " (also " : ", ") + ShownText(finding->also[i].Place());
    }
    if (others > kMostPlaces) text += " and " + std::to_string(others - kMostPlaces) + " more";
    text += others > 0 ? ")\n" : "\n";
  }
  return text;
}

nlohmann::ordered_json Findings::Json() const {
  auto list = nlohmann::ordered_json::array();
  for (const Finding* finding : InOrder()) {
    auto places = nlohmann::ordered_json::array();
    const auto add = [&](const Diagnostic& at) {
      places.push_back({{"file", at.file}, {"line", at.line}, {"column", at.column}});
    };
    add(finding->said);
    for (const Diagnostic& other : finding->also) add(other);
    list.push_back({{"severity", config::Word(finding->said.severity)},
                    {"text", finding->said.text},
                    {"hint", finding->said.hint},
                    {"places", std::move(places)}});
  }
  return list;
}

}  // namespace proxymux::proxy
