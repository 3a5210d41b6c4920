#include "tests/differential/answered.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "proxy/text/utf8.h"

namespace proxymux::differential {
namespace {

using harness::Answer;
using protocol::Status;

std::vector<std::string> Elements(const std::string& value) {
  std::vector<std::string> elements;
  std::istringstream in(value);
  for (std::string element; std::getline(in, element, ',');) elements.push_back(element);
  std::sort(elements.begin(), elements.end());
  return elements;
}

}  // namespace

std::string Escaped(const std::string& text) {
  constexpr std::size_t kLongest = 2000;
  std::ostringstream out;
  for (const unsigned char byte : text.substr(0, kLongest)) {
    if (byte >= 32 && byte < 127 && byte != '\\' && byte != '"') {
      out << byte;
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      out << "\\x" << kDigits[byte >> 4] << kDigits[byte & 15];
    }
  }
  if (text.size() > kLongest) out << "... (" << text.size() << " bytes)";
  return out.str();
}

std::string Describe(const Answered& answer) {
  if (answer.broken) return "the program ends: " + Escaped(answer.messages);
  std::string text(protocol::StatusName(answer.status));
  if (answer.Is(Status::kOk)) text += " \"" + Escaped(answer.value) + "\"";
  if (!answer.messages.empty()) text += " (" + Escaped(answer.messages) + ")";
  return text;
}

Answered FromDirect(const DirectVerdict& verdict) {
  switch (verdict.outcome) {
    case DirectVerdict::Outcome::kFound:
      return {Status::kOk, verdict.value, false, ""};
    case DirectVerdict::Outcome::kNotFound:
      return {Status::kNoKey, "", false, ""};
    case DirectVerdict::Outcome::kError:
      // The client's own finding, which it calls an error of the configuration.
      if (verdict.messages.find("non-UTF-8 value") != std::string::npos) {
        return {Status::kConfig, "", false, verdict.messages};
      }
      return {Status::kRetry, "", false, verdict.messages};
    case DirectVerdict::Outcome::kBroken:
      return {Status::kRetry, "", true, verdict.messages};
  }
  throw std::logic_error("no such outcome");
}

Answered FromWire(const Answer& answer, const std::string& who, const std::string& table) {
  if (answer.kind != Answer::Kind::kReply) {
    throw std::runtime_error(who + ", " + table + ": " + harness::Describe(answer));
  }
  return {answer.status, answer.value, false, ""};
}

bool Equal(const Answered& a, const Answered& b, bool ordered) {
  if (a.broken || b.broken || a.status != b.status) return false;
  if (!a.Is(Status::kOk) || a.value == b.value) return true;
  return !ordered && a.value.size() == b.value.size() && Elements(a.value) == Elements(b.value);
}

Answered AsClientSees(Answered reply, bool smtputf8) {
  if (smtputf8 && reply.Is(Status::kOk) && !proxy::IsValidUtf8(reply.value)) {
    reply.status = Status::kConfig;
    reply.value.clear();
  }
  return reply;
}

}  // namespace proxymux::differential
