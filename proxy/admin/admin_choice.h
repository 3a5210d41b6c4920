// Which admin listener a control command asks, from what its options and the configuration say.
//
// In this order: an address that was given (--socket, else the setting admin.listen); the default
// socket of the service that was named (--service); the one socket of a service that there is in
// data_directory, since there is one service as a rule, whatever its name in master.cf; and where
// there is none, the default socket of the default name, so that what is said is that nobody
// listens.
//
// ChooseAdmin() is pure and asks nobody: whether somebody listens there is for AdminGet() to find
// out.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "proxy/admin/admin_address.h"

namespace proxymux::proxy {

struct AdminQuestion {
  std::string address;         // as ParseAdminAddress() takes it; empty: none was given
  std::string service_name;    // empty: none was given
  std::string data_directory;  // of Postfix; may be empty when there is an address
};

struct ChosenAdmin {
  AdminAddress address;
  std::string place;  // for people: "on ADDRESS", or "in DIRECTORY" when only that was known
};

// `sockets`: those of AdminSocketsIn(data_directory). An error when the address is none, and when
// there are several sockets to choose from: it names them, one a line.
std::variant<ChosenAdmin, AdminAddressError> ChooseAdmin(const AdminQuestion& question,
                                                         const std::vector<std::string>& sockets);

// The paths of all default sockets in `directory`, whether or not somebody listens, sorted; none
// when it cannot be read.
std::vector<std::string> AdminSocketsIn(const std::string& directory);

}  // namespace proxymux::proxy
