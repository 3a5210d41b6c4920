#include "proxy/compare/key_answers.h"

#include <algorithm>
#include <utility>

namespace proxymux::proxy {
namespace {

using Kind = KeyAnswer::Kind;

std::string_view TakeLine(std::string_view* text) {
  const std::string_view line = text->substr(0, text->find('\n'));
  text->remove_prefix(std::min(line.size() + 1, text->size()));
  return line;
}

// The latest line that has the word, from there on, and before it the reasons: what the lines in
// front of it say behind the program's name. Empty: none has it.
std::string LastWords(std::string_view err, std::string_view word) {
  constexpr std::size_t kMostReasons = 3;
  std::vector<std::string_view> reasons;
  std::string last;
  while (!err.empty()) {
    const std::string_view line = TakeLine(&err);
    const std::size_t at = line.find(word);
    if (at != std::string_view::npos) {
      last = line.substr(at);
      continue;
    }
    const std::size_t name = line.find(": ");
    reasons.push_back(name == std::string_view::npos ? line : line.substr(name + 2));
  }
  if (last.empty()) return last;
  for (std::size_t i = reasons.size(); i > 0 && reasons.size() - i < kMostReasons; --i) {
    last = std::string(reasons[i - 1]) + "; " + last;
  }
  return last;
}

class Asker {
 public:
  Asker(const std::vector<std::string>& keys, const RunWithKeys& run, std::string_view error_word,
        std::size_t most_errors)
      : keys_(keys), run_(run), error_word_(error_word), errors_left_(most_errors) {
    answers_.resize(keys.size());
  }

  std::vector<KeyAnswer> Run() {
    Ask(0, keys_.size());
    return std::move(answers_);
  }

 private:
  void Ask(std::size_t begin, std::size_t end) {
    if (begin == end || errors_left_ == 0) return;
    std::string input;
    for (std::size_t i = begin; i < end; ++i) input += keys_[i] + "\n";
    const config::ProgramOutput output = run_(input);
    const std::string error = Error(output);
    if (error.empty()) {
      Read(output.out, begin, end);
    } else if (end - begin == 1) {
      answers_[begin] = {Kind::kError, error};
      --errors_left_;
    } else if (!IsAboutAKey(output)) {
      for (std::size_t i = begin; i < end; ++i) answers_[i] = {Kind::kError, error};
      errors_left_ = 0;
    } else {
      const std::size_t middle = begin + (end - begin) / 2;
      Ask(begin, middle);
      Ask(middle, end);
    }
  }

  // It ended by itself; else it hangs, or cannot be run, for fewer keys as well.
  static bool IsAboutAKey(const config::ProgramOutput& output) {
    return output.failure.starts_with("exited with status");
  }

  // Empty: it has an answer for every key, be it that there is nothing.
  std::string Error(const config::ProgramOutput& output) const {
    if (output.failure.empty()) return {};
    if (std::string word = LastWords(output.err, error_word_); !word.empty()) return word;
    const bool only_found_nothing = output.failure == "exited with status 1" && output.out.empty();
    return only_found_nothing ? std::string() : output.failure;
  }

  // A line that begins with none of the keys to come goes on with the value before it.
  void Read(std::string_view out, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) answers_[i] = {Kind::kNotFound, ""};
    std::size_t next = begin;
    KeyAnswer* last = nullptr;
    while (!out.empty()) {
      const std::string_view line = TakeLine(&out);
      const std::string_view key = line.substr(0, line.find('\t'));
      const auto found = std::find(keys_.begin() + static_cast<std::ptrdiff_t>(next),
                                   keys_.begin() + static_cast<std::ptrdiff_t>(end), key);
      const auto at = static_cast<std::size_t>(found - keys_.begin());
      if (key.size() < line.size() && at < end) {
        answers_[at] = {Kind::kFound, std::string(line.substr(key.size() + 1))};
        last = &answers_[at];
        next = at + 1;
      } else if (last != nullptr) {
        last->text += "\n" + std::string(line);
      }
    }
  }

  const std::vector<std::string>& keys_;
  const RunWithKeys& run_;
  const std::string_view error_word_;
  std::size_t errors_left_;
  std::vector<KeyAnswer> answers_;
};

}  // namespace

std::vector<KeyAnswer> AnswersOf(const std::vector<std::string>& keys, const RunWithKeys& run,
                                 std::string_view error_word, std::size_t most_errors) {
  return Asker(keys, run, error_word, most_errors).Run();
}

}  // namespace proxymux::proxy
