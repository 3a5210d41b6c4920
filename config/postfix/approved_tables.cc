#include "config/postfix/approved_tables.h"

#include <utility>

#include "config/postfix/list_elements.h"
#include "config/postfix/main_cf.h"
#include "config/postfix/parameter_expansion.h"
#include "protocol/table_name.h"

namespace proxymux::config {
namespace {

constexpr int kDeepest = 20;  // maps inside maps, files inside files

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string Squeeze(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank) {
      out += c;
    } else if (out.empty() || out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

class ApprovalReader {
 public:
  explicit ApprovalReader(const ApprovalSources& sources) : sources_(sources) {}

  ApprovedTables Read() {
    Elements(sources_.proxy_read_maps, "proxy_read_maps", 0, 0);
    std::string_view classes = sources_.smtpd_restriction_classes;
    while (true) {
      const std::string name(NextElement(&classes));
      if (name.empty()) break;
      if (const auto value = sources_.parameter(name)) Elements(*value, name, 0, 0);
    }
    return std::move(result_);
  }

 private:
  void Warn(const std::string& origin, int line, std::string text, std::string hint) {
    result_.diagnostics.push_back(
        {origin, line, 0, Severity::kWarning, std::move(text), std::move(hint)});
  }

  void Unbalanced(const std::string& origin, int line, std::string_view element) {
    Warn(origin, line, "braces that do not match in \"" + std::string(element.substr(0, 60)) + '"',
         "it approves no table");
  }

  void Elements(std::string_view text, const std::string& origin, int line, int depth) {
    if (depth > kDeepest) {
      Warn(origin, line, "nested too deeply; the rest approves no table", "");
      return;
    }
    while (true) {
      const std::string_view element = NextElement(&text);
      if (element.empty()) return;
      Element(element, origin, line, depth);
    }
  }

  void Element(std::string_view element, const std::string& origin, int line, int depth) {
    if (element[0] == '{') {
      std::optional<std::string_view> inside = InsideBraces(element);
      if (!inside) {
        Unbalanced(origin, line, element);
        return;
      }
      element = NextElement(&*inside);
      if (element.empty()) return;
    }
    for (const std::string_view composed : {"pipemap:", "unionmap:"}) {
      if (!element.starts_with(composed)) continue;
      const std::string_view name = element.substr(composed.size());
      if (!name.starts_with('{')) return;
      if (const auto inside = InsideBraces(name)) {
        Elements(*inside, origin, line, depth + 1);
      } else {
        Unbalanced(origin, line, element);
      }
      return;
    }
    // With a part missing it would be the name of another table. Whoever expanded it has told.
    if (element.find(kMissing) != std::string_view::npos) return;
    if (element[0] == '/') {
      File(std::string(element), origin, line, depth);
      return;
    }
    if (!IsAlphanumeric(element[0])) return;
    if (!element.starts_with(protocol::kProxyPrefix)) return;
    const std::string_view table = protocol::StripProxyPrefixes(element);
    // Without a type it can never be asked for.
    if (table.find(':') != std::string_view::npos) result_.tables.insert(Squeeze(table));
  }

  void File(const std::string& path, const std::string& origin, int line, int depth) {
    if (!files_.insert(path).second) return;
    std::string error;
    const std::optional<std::string> content = sources_.read_file(path, &error);
    if (!content) {
      Warn(origin, line, "cannot read " + path + ": " + error,
           "the tables that it lists are not approved");
      return;
    }
    for (const LogicalLine& logical : ReadLogicalLines(*content, path, &result_.diagnostics)) {
      Elements(logical.text, path, logical.place.line, depth + 1);
    }
  }

  const ApprovalSources& sources_;
  std::set<std::string> files_;  // each is read once, so a file may name itself
  ApprovedTables result_;
};

}  // namespace

bool ApprovedTables::Contains(std::string_view table) const {
  return tables.contains(Squeeze(table));
}

ApprovedTables ReadApprovedTables(const ApprovalSources& sources) {
  return ApprovalReader(sources).Read();
}

}  // namespace proxymux::config
