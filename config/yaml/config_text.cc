#include "config/yaml/config_text.h"

#include <string_view>

#include "config/yaml/option_table.h"
#include "config/yaml/option_value.h"

namespace proxymux::config {
namespace {

// A double-quoted YAML scalar. Values hold no control characters (option_value refuses them), but
// pool and table names may hold anything.
std::string Quoted(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < ' ' || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string ValueText(const Option& option, const std::string& text) {
  return option.type() == OptionType::kString ? Quoted(text) : text;
}

// `a.b` is `b` in the section `a`; the section of `a` alone is empty.
std::string_view SectionOf(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

std::string_view LeafOf(std::string_view name) {
  return name.substr(SectionOf(name).empty() ? 0 : SectionOf(name).size() + 1);
}

// One line per option of a scope, at `indent`; `usual` is what the comment compares with.
template <typename Struct>
void AppendValues(OptionScope scope, const Struct& values, const Struct& usual,
                  std::string_view indent, std::string_view usual_name, bool only_different,
                  std::string* out) {
  std::string_view section;
  for (const Option& option : Options()) {
    if (option.scope() != scope) continue;
    const std::string value = OptionText(option, values);
    const std::string usual_value = OptionText(option, usual);
    if (only_different && value == usual_value) continue;
    const std::string_view its_section = SectionOf(option.name);
    if (its_section != section) {
      section = its_section;
      *out += std::string(indent) + std::string(section) + ":\n";
    }
    *out += std::string(indent) + (section.empty() ? "" : "  ") + std::string(LeafOf(option.name)) +
            ": " + ValueText(option, value);
    if (value != usual_value) {
      *out += "  # " + std::string(usual_name) + ": " + ValueText(option, usual_value);
    }
    *out += '\n';
  }
}

template <typename Map, typename Struct>
void AppendNamed(std::string_view section, OptionScope scope, const Map& named, const Struct& usual,
                 std::string_view usual_name, std::string* out) {
  if (named.empty()) return;
  *out += std::string(section) + ":\n";
  for (const auto& [name, values] : named) {
    *out += "  " + Quoted(name) + ":";
    if (values == usual) *out += " {}";
    *out += '\n';
    AppendValues(scope, values, usual, "    ", usual_name, true, out);
  }
}

// `text` as comment lines of at most 78 characters.
void AppendComment(std::string_view text, std::string_view indent, std::string* out) {
  constexpr std::size_t kWidth = 78;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) *out += std::string(indent) + "# " + line + '\n';
    line.clear();
  };
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size() == text.size() ? word.size() : word.size() + 1);
    if (indent.size() + 2 + line.size() + 1 + word.size() > kWidth) flush();
    if (!line.empty()) line += ' ';
    line += word;
  }
  flush();
}

void AppendReference(OptionScope scope, std::string_view indent, std::string* out) {
  std::string_view section;
  for (const Option& option : Options()) {
    if (option.scope() != scope) continue;
    *out += '\n';
    std::string deeper(indent);
    if (!SectionOf(option.name).empty()) {
      if (section != SectionOf(option.name)) {
        section = SectionOf(option.name);
        *out += std::string(indent) + std::string(section) + ":\n";
      }
      deeper += "  ";
    }
    AppendComment(option.help, deeper, out);
    AppendComment("Value: " + DescribeType(option) + "." +
                      (option.reloadable ? "" : " A change needs a restart."),
                  deeper, out);
    *out += deeper + '#' + std::string(LeafOf(option.name)) + ": " +
            ValueText(option, std::string(option.default_text)) + '\n';
  }
}

}  // namespace

std::string RenderConfig(const ServerConfig& config) {
  const ServerConfig defaults;
  std::string out;
  AppendValues(OptionScope::kServer, config, defaults, "", "default", false, &out);
  out += "pool:\n";
  AppendValues(OptionScope::kPool, config.pool, defaults.pool, "  ", "default", false, &out);
  AppendNamed("pools", OptionScope::kPool, config.pools, config.pool, "pool", &out);
  out += "table:\n";
  AppendValues(OptionScope::kTable, config.table, defaults.table, "  ", "default", false, &out);
  AppendNamed("tables", OptionScope::kTable, config.tables, config.table, "table", &out);
  return out;
}

std::string RenderReference() {
  std::string out =
      "# proxymux.yaml: every setting at its default. Take away the # before a setting\n"
      "# to change it. The file stands in Postfix's configuration directory and may be\n"
      "# absent. `proxymux check` tells what is wrong with it, `proxymux config show`\n"
      "# prints what is in effect, and SIGHUP makes a running proxymux read it again.\n"
      "# See proxymux.yaml(5).\n";
  AppendReference(OptionScope::kServer, "", &out);
  out += "\n# Connections to PostgreSQL: the values for every pool.\npool:\n";
  AppendReference(OptionScope::kPool, "  ", &out);
  out +=
      "\n# What differs for one pool, by its name in `proxymux ctl status`.\n"
      "pools:\n"
      "  #\"mail@db1.example.com,db2.example.com/mail\": {connections: 8}\n"
      "\n# Lookups: the values for every table.\ntable:\n";
  AppendReference(OptionScope::kTable, "  ", &out);
  out +=
      "\n# What differs for one table.\n"
      "tables:\n"
      "  #\"pgsql:/etc/postfix/virtual-aliases.cf\": {query_timeout: 2s}\n";
  return out;
}

}  // namespace proxymux::config
