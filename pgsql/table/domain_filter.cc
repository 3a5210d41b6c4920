#include "pgsql/table/domain_filter.h"

#include <algorithm>
#include <utility>

namespace proxymux::pgsql {
namespace {

constexpr int kMaxFileDepth = 16;  // a file that names itself would never end

bool IsSeparator(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ','; }

// Members between commas and white space; what stands in braces stays whole.
std::vector<std::string> SplitMembers(std::string_view line) {
  std::vector<std::string> members;
  std::string member;
  int depth = 0;
  for (const char c : line) {
    if (depth == 0 && IsSeparator(c)) {
      if (!member.empty()) members.push_back(std::move(member));
      member.clear();
      continue;
    }
    if (c == '{') ++depth;
    if (c == '}' && depth > 0) --depth;
    member.push_back(c);
  }
  if (!member.empty()) members.push_back(std::move(member));
  return members;
}

void AddOnce(const std::string& text, std::vector<std::string>* list) {
  if (std::find(list->begin(), list->end(), text) == list->end()) list->push_back(text);
}

}  // namespace

struct DomainFilter::Builder {
  const FileReader& read_file;
  const Fold& fold;
  DomainFilter filter;
  std::vector<std::string> errors;

  // `where` is the file that holds the members, empty for the setting itself.
  void AddAll(const std::vector<std::string>& members, bool includes, const std::string& where,
              int depth) {
    for (const std::string& member : members) {
      if (member.front() == '#') {
        filter.warnings_.push_back(Prefix(where) + "\"" + member +
                                   "\": a comment must begin its line; the rest of the line is "
                                   "ignored");
        return;
      }
      Add(member, includes, where, depth);
    }
  }

  void Add(const std::string& written, bool includes, const std::string& where, int depth) {
    const std::size_t marks = std::min(written.find_first_not_of('!'), written.size());
    if (marks % 2 == 1) includes = !includes;
    const std::string text = written.substr(marks);
    if (text.empty()) {
      errors.push_back(Prefix(where) + "nothing follows \"" + written +
                       "\"; write the member directly behind the '!'");
    } else if (text.front() == '/') {
      AddFile(text, includes, depth);
    } else if (text.front() != '[' && text.find(':') != std::string::npos) {
      filter.members_.push_back({Kind::kTable, includes, text});
    } else {
      filter.members_.push_back({Kind::kName, includes, fold(text)});
    }
  }

  void AddFile(const std::string& path, bool includes, int depth) {
    AddOnce(path, &filter.files_);
    std::string error;
    std::optional<std::string> contents;
    if (depth >= kMaxFileDepth) {
      error = "files name each other too deeply";
    } else {
      contents = read_file(path, &error);
    }
    if (!contents) {
      const std::string text = path + ": " + error;
      AddOnce(text, &filter.warnings_);
      filter.members_.push_back({Kind::kUnreadable, includes, text});
      return;
    }
    std::string_view rest = *contents;
    while (!rest.empty()) {
      const std::size_t newline = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, newline);
      rest.remove_prefix(std::min(newline + 1, rest.size()));
      if (!line.empty() && line.front() == '#') continue;
      AddAll(SplitMembers(line), includes, path, depth + 1);
    }
  }

  static std::string Prefix(const std::string& where) { return where.empty() ? "" : where + ": "; }
};

std::variant<DomainFilter, std::vector<std::string>> DomainFilter::Compile(
    const std::vector<std::string>& members, const FileReader& read_file, const Fold& fold) {
  Builder builder{read_file, fold, DomainFilter(), {}};
  builder.filter.unrestricted_ = members.empty();
  std::vector<std::string> split;
  for (const std::string& member : members) {
    for (std::string& each : SplitMembers(member)) split.push_back(std::move(each));
  }
  builder.AddAll(split, true, "", 0);
  if (!builder.errors.empty()) return std::move(builder.errors);
  return std::move(builder.filter);
}

std::vector<std::string> DomainFilter::Tables() const {
  std::vector<std::string> tables;
  for (const Member& member : members_) {
    if (member.kind == Kind::kTable) AddOnce(member.text, &tables);
  }
  return tables;
}

DomainFilter::Step DomainFilter::EvaluateFrom(std::size_t first,
                                              std::string_view folded_domain) const {
  if (unrestricted_) return {Verdict::kMatch, 0, {}};
  if (folded_domain.empty()) return {Verdict::kNoMatch, 0, {}};
  for (std::size_t i = first; i < members_.size(); ++i) {
    const Member& member = members_[i];
    switch (member.kind) {
      case Kind::kName:
        if (member.text == folded_domain)
          return {member.includes ? Verdict::kMatch : Verdict::kNoMatch, i, {}};
        break;
      case Kind::kTable:
        return {Verdict::kNeedTable, i, member.text};
      case Kind::kUnreadable:
        return {Verdict::kUnavailable, i, member.text};
    }
  }
  return {Verdict::kNoMatch, members_.size(), {}};
}

DomainFilter::Step DomainFilter::Resume(const Step& step, TableAnswer answer,
                                        std::string_view folded_domain) const {
  const Member& member = members_[step.member];
  switch (answer) {
    case TableAnswer::kFound:
      return {member.includes ? Verdict::kMatch : Verdict::kNoMatch, step.member, {}};
    case TableAnswer::kNotFound:
      return EvaluateFrom(step.member + 1, folded_domain);
    case TableAnswer::kFailed:
      return {Verdict::kUnavailable, step.member, member.text};
  }
  return {Verdict::kUnavailable, step.member, member.text};
}

}  // namespace proxymux::pgsql
