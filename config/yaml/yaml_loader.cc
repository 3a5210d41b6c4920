#include "config/yaml/yaml_loader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cerrno>
#include <exception>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "config/yaml/config_sections.h"
#include "config/yaml/security_mentions.h"
#include "config/yaml/yaml_node.h"

namespace proxymux::config {
namespace {

// Makes a YamlNode of the parser's events. Refuses, by the parser's own exception, what a
// configuration has no use for: it is either an accident or an attack on whoever walks the tree.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode TakeDocument() { return std::move(document_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw YAML::ParserException(mark, "a second document begins here");
  }
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YAML::ParserException(mark, "aliases (*name) are not supported");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    CheckPlain(mark, "", anchor);
    Add(Node(mark, YamlKind::kNull));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckPlain(mark, tag, anchor);
    YamlNode node = Node(mark, YamlKind::kScalar);
    node.scalar = value;
    Add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    CheckPlain(mark, tag, anchor);
    Open(mark, YamlKind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    CheckPlain(mark, tag, anchor);
    Open(mark, YamlKind::kMapping);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A collection that is not closed yet. `key` waits for its value.
  struct Level {
    YamlNode node;
    std::optional<YamlNode> key;
  };

  static YamlNode Node(const YAML::Mark& mark, YamlKind kind) {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  static void CheckPlain(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) throw YAML::ParserException(mark, "anchors (&name) are not supported");
    // "?" and "!" are what the parser gives plain and quoted values without a tag.
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw YAML::ParserException(mark, "tags (!name) are not supported");
    }
  }

  void Open(const YAML::Mark& mark, YamlKind kind) {
    if (levels_.size() >= static_cast<std::size_t>(kMaxConfigDepth)) {
      throw YAML::ParserException(mark, "nested too deeply");
    }
    levels_.push_back({Node(mark, kind), std::nullopt});
  }

  void Close() {
    YamlNode node = std::move(levels_.back().node);
    levels_.pop_back();
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (levels_.empty()) {
      document_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == YamlKind::kSequence) {
      level.node.items.push_back(std::move(node));
    } else if (!level.key) {
      level.key = std::move(node);
    } else {
      level.node.members.emplace_back(std::move(*level.key), std::move(node));
      level.key.reset();
    }
  }

  YamlNode document_;
  int documents_ = 0;
  std::vector<Level> levels_;
};

// Every default, and the error. `may_weaken`: the text may have asked for more security than the
// defaults give.
LoadedConfig Unusable(Diagnostic error, bool may_weaken) {
  LoadedConfig result;
  if (may_weaken) {
    result.all_tables_broken = true;
    result.all_tables_broken_reason = error.ToString();
  }
  result.diagnostics.push_back(std::move(error));
  return result;
}

Diagnostic FileError(const std::string& file, std::string text, std::string hint) {
  return {file, 0, 0, Severity::kError, std::move(text), std::move(hint)};
}

// At most one byte more than a configuration may have.
std::optional<std::string> ReadSome(int fd) {
  std::string text;
  char buffer[16384];
  while (text.size() <= kMaxConfigBytes) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace

LoadedConfig LoadConfigText(std::string_view text, const std::string& file) {
  if (text.size() > kMaxConfigBytes) {
    return Unusable(FileError(file, "larger than 1MiB", "is this the right file?"), true);
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return ReadSections(builder.TakeDocument(), file);
  } catch (const YAML::Exception& e) {
    return Unusable({file, e.mark.line + 1, e.mark.column + 1, Severity::kError,
                     "not readable as YAML: " + e.msg, "nothing of the file is used"},
                    MentionsSecurityOption(text));
  } catch (const std::exception& e) {
    return Unusable(FileError(file, std::string("not readable as YAML: ") + e.what(),
                              "nothing of the file is used"),
                    MentionsSecurityOption(text));
  }
}

LoadedConfig LoadConfigFile(const std::string& path) {
  // Without O_NONBLOCK a FIFO would hold us up for ever.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    struct stat link;
    // Nothing of that name at all is no file; a link that leads nowhere was meant to be one.
    if (errno == ENOENT && lstat(path.c_str(), &link) != 0 && errno == ENOENT) return {};
    return Unusable(FileError(path, "cannot be opened: " + std::generic_category().message(errno),
                              "nothing of the file is used"),
                    true);
  }
  struct stat status;
  std::optional<std::string> text;
  std::string why;
  if (fstat(fd, &status) != 0) {
    why = std::generic_category().message(errno);
  } else if (!S_ISREG(status.st_mode)) {
    why = "not a regular file";
  } else {
    text = ReadSome(fd);
    if (!text) why = std::generic_category().message(errno);
  }
  close(fd);
  if (!text) {
    return Unusable(FileError(path, "cannot be read: " + why, "nothing of the file is used"), true);
  }
  LoadedConfig loaded = LoadConfigText(*text, path);
  loaded.file_found = true;
  return loaded;
}

}  // namespace proxymux::config
