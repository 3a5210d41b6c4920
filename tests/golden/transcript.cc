#include "tests/golden/transcript.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace proxymux::golden {
namespace {

constexpr std::string_view kConnection = "connection ";

bool IsPrintable(char byte) { return byte >= ' ' && byte <= '~'; }

std::optional<int> Number(std::string_view text, int base) {
  int number = 0;
  const std::from_chars_result read =
      std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

Conversation* FindOrAdd(int number, Transcript* transcript) {
  for (Conversation& conversation : transcript->conversations) {
    if (conversation.number == number) return &conversation;
  }
  transcript->conversations.push_back({number, {}});
  return &transcript->conversations.back();
}

}  // namespace

std::string Escape(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    if (byte == '\0') {
      text += "\\0";
    } else if (byte == '\\') {
      text += "\\\\";
    } else if (IsPrintable(byte)) {
      text += byte;
    } else {
      text += "\\x";
      text += kDigits[code >> 4];
      text += kDigits[code & 15];
    }
  }
  return text;
}

std::optional<std::string> Unescape(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (!IsPrintable(text[0])) return std::nullopt;
    if (text[0] != '\\') {
      bytes += text[0];
      text.remove_prefix(1);
    } else if (text.starts_with("\\\\")) {
      bytes += '\\';
      text.remove_prefix(2);
    } else if (text.starts_with("\\0")) {
      bytes += '\0';
      text.remove_prefix(2);
    } else if (text.starts_with("\\x") && text.size() >= 4) {
      const std::optional<int> code = Number(text.substr(2, 2), 16);
      if (!code || *code < 0) return std::nullopt;
      bytes += static_cast<char>(*code);
      text.remove_prefix(4);
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

std::optional<Transcript> ParseTranscript(std::string_view name, std::string_view text,
                                          std::string* error) {
  Transcript transcript;
  int connection = 1;
  std::size_t line_number = 0;
  const auto fail = [&](std::string_view what) {
    std::ostringstream message;
    message << name << ':' << line_number << ": " << what;
    *error = message.str();
    return std::nullopt;
  };
  while (!text.empty()) {
    ++line_number;
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.empty()) continue;
    if (line[0] == '#') {
      line.remove_prefix(line.starts_with("# ") ? 2 : 1);
      if (line.starts_with(kConnection)) {
        const std::optional<int> number = Number(line.substr(kConnection.size()), 10);
        if (!number) return fail("the connection is not a number");
        connection = *number;
        FindOrAdd(connection, &transcript);
      } else {
        transcript.comments.emplace_back(line);
      }
      continue;
    }
    if (!line.starts_with("C ") && !line.starts_with("S ")) {
      return fail("expected '#', 'C ' or 'S ' at the beginning of the line");
    }
    std::optional<std::string> bytes = Unescape(line.substr(2));
    if (!bytes) return fail("an escape other than \\0, \\xHH and \\\\, or an unprintable byte");
    if (bytes->empty()) return fail("no bytes");
    const Sender sender = line[0] == 'C' ? Sender::kClient : Sender::kServer;
    FindOrAdd(connection, &transcript)->turns.push_back({sender, *std::move(bytes), line_number});
  }
  return transcript;
}

std::optional<Transcript> ReadTranscript(const std::string& path, std::string* error) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    *error = path + ": cannot be read";
    return std::nullopt;
  }
  return ParseTranscript(path, text.str(), error);
}

std::vector<std::string> TranscriptFiles(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace proxymux::golden
