// The `domain` setting of a pgsql_table(5): a list of domain names, /file names and type:table
// lookups, each possibly behind '!'. The first member that matches decides: behind '!' that the
// domain is not on the list, else that it is. When no member matches, also in a list of exclusions
// only, the domain is not on the list.
//
// Files are read once, in Compile, through the injected reader: members in the same grammar, over
// any number of lines, lines that begin with '#' skipped; '!' before a file turns its members
// round. Files may name files, 16 deep. A '#' that begins a member elsewhere makes a comment, with
// a warning: of the rest of the line in a file, of all that follows in the setting itself, which is
// one line whatever its layout. A file that cannot be read is a member that cannot be looked up:
// what it decides is RETRY, what earlier members decide is not touched. A type:table member needs
// an answer from outside: Evaluate stops there, and Resume goes on with the answer.
//
// Names are compared whole (no subdomains) and folded: names are folded in Compile, the caller
// passes a folded domain.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace proxymux::pgsql {

class DomainFilter {
 public:
  // The file's contents, or nothing with `error` set.
  using FileReader =
      std::function<std::optional<std::string>(const std::string& path, std::string* error)>;
  using Fold = std::function<std::string(std::string_view)>;

  enum class Verdict {
    kMatch,
    kNoMatch,
    kNeedTable,    // look the domain up in Step::text ("type:table") and resume at Step::member
    kUnavailable,  // a member cannot be looked up: RETRY; Step::text says why
  };
  struct Step {
    Verdict verdict = Verdict::kNoMatch;
    std::size_t member = 0;  // for Resume
    std::string_view text;   // lives as long as the filter
  };
  enum class TableAnswer { kFound, kNotFound, kFailed };

  // No list at all: see unrestricted().
  DomainFilter() = default;

  // `members` as written, in order. On failure the messages, one for each fault.
  static std::variant<DomainFilter, std::vector<std::string>> Compile(
      const std::vector<std::string>& members, const FileReader& read_file, const Fold& fold);

  // No list was set: every key is looked up, also one without a domain.
  bool unrestricted() const { return unrestricted_; }
  // Every type:table named, each once; what must be opened before the first lookup.
  std::vector<std::string> Tables() const;
  // Every file read or tried, each once; when a file changes, the table has changed.
  const std::vector<std::string>& files() const { return files_; }
  // Faults that leave the list in use: text behind a '#', an unreadable file.
  const std::vector<std::string>& warnings() const { return warnings_; }

  Step Evaluate(std::string_view folded_domain) const { return EvaluateFrom(0, folded_domain); }
  // Goes on behind a kNeedTable step with the answer of the table that it names.
  Step Resume(const Step& step, TableAnswer answer, std::string_view folded_domain) const;

 private:
  enum class Kind { kName, kTable, kUnreadable };
  struct Member {
    Kind kind;
    bool includes;     // false behind an odd number of '!'
    std::string text;  // folded name, type:table, or why it cannot be read
  };
  struct Builder;

  Step EvaluateFrom(std::size_t first, std::string_view folded_domain) const;

  bool unrestricted_ = true;
  std::vector<Member> members_;
  std::vector<std::string> files_;
  std::vector<std::string> warnings_;
};

}  // namespace proxymux::pgsql
