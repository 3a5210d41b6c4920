// The server's end of one TLS connection, whose records its caller composes: what a terminator of
// TLS in front of a server may do, PostgreSQL itself does not.
//
// Errors throw std::runtime_error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/harness/socket.h"

struct ssl_st;
struct ssl_ctx_st;

namespace proxymux::harness {

class TlsServerEnd {
 public:
  // Shakes hands with a client that begins to. The files are in PEM format.
  TlsServerEnd(Socket client, const std::string& certificate_file, const std::string& key_file);
  ~TlsServerEnd();

  // What one or more of the client's records hold.
  std::string Receive();
  // Each text is a record of its own, of at most 16 KiB; all leave in one piece.
  void SendRecords(const std::vector<std::string>& texts);
  // Returns when the client has ended the connection.
  void WaitForEnd();

 private:
  void SendWaiting();
  Socket::Received TakeMore();

  Socket client_;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> session_;
};

}  // namespace proxymux::harness
