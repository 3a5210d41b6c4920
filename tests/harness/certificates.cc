#include "tests/harness/certificates.h"

#include <utility>
#include <vector>

#include "tests/harness/process.h"

namespace proxymux::harness {
namespace {

// A certificate for `subject` with a new key, signed by that key unless `more` says otherwise.
void Make(const std::string& subject, const std::string& file, const std::string& key_file,
          const std::vector<std::string>& more) {
  std::vector<std::string> words = {"openssl",
                                    "req",
                                    "-x509",
                                    "-newkey",
                                    "ec",
                                    "-pkeyopt",
                                    "ec_paramgen_curve:P-256",
                                    "-nodes",
                                    "-days",
                                    "2",
                                    "-subj",
                                    "/CN=" + subject,
                                    "-out",
                                    file,
                                    "-keyout",
                                    key_file};
  words.insert(words.end(), more.begin(), more.end());
  RunOrThrow(words);
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::string directory, const std::string& name)
    : directory_(std::move(directory)),
      file_(directory_ + "/" + name + ".crt"),
      key_file_(directory_ + "/" + name + ".key") {
  Make(name, file_, key_file_, {});
}

CertificateAuthority::Certificate CertificateAuthority::Issue(const std::string& subject,
                                                              const std::string& owner,
                                                              const std::string& names) const {
  const Certificate made = {directory_ + "/" + subject + ".crt",
                            directory_ + "/" + subject + ".key"};
  std::vector<std::string> more = {"-CA",     file_,     "-CAkey",
                                   key_file_, "-addext", "basicConstraints=critical,CA:FALSE"};
  if (!names.empty()) more.insert(more.end(), {"-addext", "subjectAltName=" + names});
  Make(subject, made.file, made.key_file, more);
  RunOrThrow({"chown", owner, made.key_file});
  RunOrThrow({"chmod", owner.starts_with("root:") ? "0640" : "0600", made.key_file});
  return made;
}

}  // namespace proxymux::harness
