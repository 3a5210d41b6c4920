#include "tests/harness/tls_server_end.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <stdexcept>
#include <utility>

namespace proxymux::harness {

TlsServerEnd::TlsServerEnd(Socket client, const std::string& certificate_file,
                           const std::string& key_file)
    : client_(std::move(client)),
      context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free),
      session_(nullptr, &SSL_free) {
  SSL_CTX* const context = context_.get();
  // Tickets would be records that the caller did not compose.
  if (SSL_CTX_use_certificate_file(context, certificate_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_set_num_tickets(context, 0) != 1) {
    throw std::runtime_error("TLS: " + certificate_file + " and " + key_file + " are not usable");
  }
  session_.reset(SSL_new(context));
  SSL_set_bio(session_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));  // the session's now
  while (true) {
    const int result = SSL_accept(session_.get());
    SendWaiting();
    if (result == 1) return;
    if (SSL_get_error(session_.get(), result) != SSL_ERROR_WANT_READ ||
        TakeMore() != Socket::Received::kBytes) {
      throw std::runtime_error("TLS: the client does not shake hands");
    }
  }
}

TlsServerEnd::~TlsServerEnd() = default;

void TlsServerEnd::SendWaiting() {
  BIO* const out = SSL_get_wbio(session_.get());
  std::string bytes(BIO_ctrl_pending(out), '\0');
  if (bytes.empty()) return;
  BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  if (!client_.Send(bytes)) throw std::runtime_error("TLS: the client takes nothing");
}

Socket::Received TlsServerEnd::TakeMore() {
  std::string bytes;
  const Socket::Received received = client_.Receive(bytes);
  BIO_write(SSL_get_rbio(session_.get()), bytes.data(), static_cast<int>(bytes.size()));
  return received;
}

std::string TlsServerEnd::Receive() {
  while (true) {
    char buffer[16384];
    const int count = SSL_read(session_.get(), buffer, sizeof(buffer));
    if (count > 0) return std::string(buffer, static_cast<std::size_t>(count));
    if (TakeMore() != Socket::Received::kBytes) throw std::runtime_error("TLS: nothing to receive");
  }
}

void TlsServerEnd::SendRecords(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (SSL_write(session_.get(), text.data(), static_cast<int>(text.size())) <= 0) {
      throw std::runtime_error("TLS: cannot write");
    }
  }
  SendWaiting();
}

void TlsServerEnd::WaitForEnd() {
  while (TakeMore() == Socket::Received::kBytes) continue;
}

}  // namespace proxymux::harness
