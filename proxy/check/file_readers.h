// Who can read the files of the service: those that it reads again when they change, and those that
// libpq reads for a connection. Both happen as mail_owner, after root was given up. And who can
// change the former, which root reads at the start, as postfix-script(1) asks of its own.
#pragma once

#include <string>
#include <vector>

#include "proxy/check/findings.h"
#include "proxy/process/privileges.h"

namespace proxymux::proxy {

struct ServiceFile {
  enum class Kind {
    kSettings,     // read by the service
    kMainCf,       // read by everybody's sendmail(1) and mailq(1) as well
    kRootCert,     // sslrootcert
    kCertificate,  // sslcert
    kKey,          // sslkey
  };
  Kind kind = Kind::kSettings;
  std::string path;
  bool secret = false;  // holds a password
  // Where it is named, other than by its own name.
  std::string named_in;
  int line = 0;
  bool verifies = false;  // kRootCert: its sslmode wants the server's certificate checked

  friend bool operator==(const ServiceFile&, const ServiceFile&) = default;
};

// Whether they are there, whether `owner` can read them, whether everybody can, and whether
// somebody other than root can change or replace them. Root only: asks
// the kernel as `owner` (CanRead()).
void CheckReaders(const std::vector<ServiceFile>& files, const Account& owner, Findings* findings);

}  // namespace proxymux::proxy
