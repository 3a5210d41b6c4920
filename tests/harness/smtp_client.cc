#include "tests/harness/smtp_client.h"

#include <stdexcept>

namespace proxymux::harness {

SmtpClient::SmtpClient(int port) : socket_(Socket::ConnectTcp(port)) { ReadAnswer(); }

std::string SmtpClient::Command(const std::string& line) {
  if (!socket_.Send(line + "\r\n")) throw std::runtime_error("the SMTP server closed: " + line);
  return ReadAnswer();
}

std::string SmtpClient::SendMessage(const std::string& from, const std::vector<std::string>& to,
                                    const std::string& body) {
  std::vector<std::string> lines = {"EHLO client.example.org", "MAIL FROM:<" + from + ">"};
  for (const auto& address : to) lines.push_back("RCPT TO:<" + address + ">");
  lines.push_back("DATA");
  for (const auto& line : lines) {
    const std::string answer = Command(line);
    if (answer[0] != '2' && answer[0] != '3') return answer;
  }
  std::string answer = Command("From: <" + from + ">\r\nSubject: test\r\n\r\n" + body + "\r\n.");
  Command("QUIT");
  return answer;
}

// The last line of an answer has a blank, not a dash, behind its code (RFC 5321, section 4.2).
std::string SmtpClient::ReadAnswer() {
  while (true) {
    for (std::size_t start = 0, end; (end = buffer_.find("\r\n", start)) != std::string::npos;
         start = end + 2) {
      if (end - start >= 4 && buffer_[start + 3] == '-') continue;
      std::string answer = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return answer;
    }
    if (socket_.Receive(buffer_, seconds(60)) != Socket::Received::kBytes) {
      throw std::runtime_error("no answer from the SMTP server, only: " + buffer_);
    }
  }
}

}  // namespace proxymux::harness
