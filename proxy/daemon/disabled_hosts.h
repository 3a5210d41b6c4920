// The hosts that the administrator has taken out of use, in a file: they stay so when the service
// is started again (postfix reload), until they are enabled.
//
// One host a line, by its name in status and log; lines that begin with '#' are for readers. The
// file belongs to the user that the service runs as, in Postfix's data_directory.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace proxymux::proxy {

class DisabledHosts {
 public:
  using Names = std::set<std::string, std::less<>>;

  explicit DisabledHosts(std::string file) : file_(std::move(file)) {}
  // That of a service: `$data_directory/proxymux-SERVICE.disabled`.
  static std::string FileOf(const std::string& data_directory, const std::string& service_name);

  // Reads the file. Empty, or why it cannot be read: then none is disabled. No file is no error.
  std::string Load();
  // Writes the file, so that it is the old one or the new one at any time. Does not wait for the
  // disk: lookups would, too. Empty, or why nothing was changed.
  std::string Disable(std::string_view host);
  std::string Enable(std::string_view host);

  const Names& names() const { return names_; }

 private:
  std::string Replace(Names names);

  const std::string file_;
  Names names_;
};

}  // namespace proxymux::proxy
