// Whose rights a command has when it asks servers: those of the service, where it can.
#pragma once

#include <string>

namespace proxymux::proxy {

struct ServiceUser {
  std::string text;   // for people: who asks, and who the service is when that is somebody else
  std::string error;  // set: root could not be given up, and nothing must be asked
};

// Root becomes `mail_owner`, as the service does once it has read its files; anybody else stays who
// he is. Nobody's settings for libpq are left in the environment: the service has none. An empty
// `mail_owner`: main.cf does not name one, and root stays root.
ServiceUser BecomeServiceUser(const std::string& mail_owner);

}  // namespace proxymux::proxy
