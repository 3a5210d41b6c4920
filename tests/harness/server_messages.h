// Where the messages are in what a PostgreSQL server sends (manual, "Frontend/Backend Protocol"):
// each has a type byte, a length of four bytes that counts itself, and a body. Before the first one
// the server may say in one byte that it has no TLS. Takes the stream in pieces of any size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace proxymux::harness {

class ServerMessages {
 public:
  struct Header {
    char type = 0;
    std::uint32_t body = 0;  // bytes that follow the header
  };
  // The body starts at this position of the piece, or behind its end.
  using Found = std::function<void(const Header& header, std::size_t body_begin)>;

  // The type byte or a byte of a length, as the stream goes by; may be changed, which does not
  // change where the next message is looked for.
  enum class Part { kType, kLength };
  using Touch = std::function<void(Part part, char& byte)>;

  void Pass(std::string& piece, const Found& found, const Touch& touch);

 private:
  bool begun_ = false;
  int header_bytes_ = 0;  // of the header that is being read
  Header header_;
  std::uint32_t length_ = 0;
  std::size_t body_left_ = 0;
};

}  // namespace proxymux::harness
