// Transcripts of conversations between Postfix clients and a proxymap service, as recorded by a
// relay between the two.
//
// A transcript is text, one line per read():
//   # connection 3          the lines that follow belong to this conversation
//   # anything else         a comment; it says what was run and what came out
//   C BYTES                 the client sent this
//   S BYTES                 the server sent this
// In BYTES `\0` is one NUL byte (a digit after it is the next character), `\xHH` any other
// unprintable byte, `\\` a backslash, and everything else is a printable ASCII character. Lines
// before the first `# connection` belong to conversation 1.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::golden {

enum class Sender { kClient, kServer };

struct Turn {
  Sender sender = Sender::kClient;
  std::string bytes;
  std::size_t line = 0;  // in the file, from 1
};

struct Conversation {
  int number = 0;
  std::vector<Turn> turns;
};

struct Transcript {
  std::vector<std::string> comments;  // without "# "
  std::vector<Conversation>
      conversations;  // in the order in which they begin; lines may alternate between them
};

// None on a line that is not of the format; *error then says which (`NAME:LINE: what`).
std::optional<Transcript> ParseTranscript(std::string_view name, std::string_view text,
                                          std::string* error);
std::optional<Transcript> ReadTranscript(const std::string& path, std::string* error);

// Every *.txt file of a directory, sorted.
std::vector<std::string> TranscriptFiles(const std::string& directory);

// The BYTES of a line, both ways.
std::string Escape(std::string_view bytes);
std::optional<std::string> Unescape(std::string_view text);

}  // namespace proxymux::golden
