// An SMTP client that speaks one line at a time and shows the answers.
#pragma once

#include <string>
#include <vector>

#include "tests/harness/socket.h"

namespace proxymux::harness {

class SmtpClient {
 public:
  // Connects to 127.0.0.1 and reads the banner. Throws when the server does not answer in time.
  explicit SmtpClient(int port);

  // Sends one line and returns the whole answer without its last line's end: "250 2.1.5 Ok".
  std::string Command(const std::string& line);
  // EHLO, MAIL, RCPT for each, DATA, QUIT. Returns the answer to the message's end, or the first
  // refusal.
  std::string SendMessage(const std::string& from, const std::vector<std::string>& to,
                          const std::string& body);

 private:
  std::string ReadAnswer();

  Socket socket_;
  std::string buffer_;
};

}  // namespace proxymux::harness
