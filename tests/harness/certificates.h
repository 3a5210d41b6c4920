// A certificate authority of a test's own, made with openssl(1), and certificates that it signed.
// Errors throw std::runtime_error.
#pragma once

#include <string>

namespace proxymux::harness {

class CertificateAuthority {
 public:
  // Its files are written to `directory`, which must exist, as NAME.crt and NAME.key.
  CertificateAuthority(std::string directory, const std::string& name);

  struct Certificate {
    std::string file, key_file;  // PEM
  };
  // For the common name `subject`, and for `names` as in "DNS:localhost,IP:127.0.0.1". Only the
  // user `owner` can read the key, and its group when the owner is root ("root:postfix"), as libpq
  // and PostgreSQL want it.
  Certificate Issue(const std::string& subject, const std::string& owner,
                    const std::string& names = "") const;

  const std::string& file() const { return file_; }

 private:
  std::string directory_, file_, key_file_;
};

}  // namespace proxymux::harness
