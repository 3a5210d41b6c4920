#include "proxy/admin/admin_choice.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace proxymux::proxy {

std::variant<ChosenAdmin, AdminAddressError> ChooseAdmin(const AdminQuestion& question,
                                                         const std::vector<std::string>& sockets) {
  std::string address = question.address;
  if (address.empty() && question.service_name.empty()) {
    if (sockets.size() > 1) {
      AdminAddressError error{
          "several services have an admin socket here; choose one with --service or --socket:"};
      for (const std::string& socket : sockets) error.text += "\n  " + socket;
      return error;
    }
    if (sockets.size() == 1) address = sockets[0];
  }
  auto parsed =
      ParseAdminAddress(address, question.data_directory,
                        question.service_name.empty() ? "proxymux" : question.service_name);
  if (auto* error = std::get_if<AdminAddressError>(&parsed)) return std::move(*error);
  ChosenAdmin chosen;
  chosen.address = std::get<AdminAddress>(std::move(parsed));
  chosen.place = address.empty() ? "in " + question.data_directory : "on " + chosen.address.Text();
  return chosen;
}

std::vector<std::string> AdminSocketsIn(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("proxymux-") && name.ends_with(".sock")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace proxymux::proxy
