// Whose rights `proxymux lookup` has when it asks: those of the service, where it can.
#pragma once

#include <string>

namespace proxymux::proxy {

struct LookupUser {
  std::string text;   // for people: who asks, and who the service is when that is somebody else
  std::string error;  // set: root could not be given up, and nothing must be asked
};

// Root becomes `mail_owner`, as the service does once it has read its files, with none of root's
// settings for libpq left in the environment; anybody else stays who he is. An empty `mail_owner`:
// main.cf does not name one, and nothing changes.
LookupUser BecomeServiceUser(const std::string& mail_owner);

}  // namespace proxymux::proxy
