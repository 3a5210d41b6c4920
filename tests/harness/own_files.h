// Files of a test's own in the place of some of the machine's, such as /etc/resolv.conf: a mount
// namespace, which is gone with the last process that uses it. The machine's files stay as they
// are. Needs root. Errors throw std::runtime_error.
#pragma once

#include <map>
#include <string>

namespace proxymux::harness {

// The calling thread, and what it starts from now on, sees `texts` (by path; each must exist) in
// place of the real files. They are written to `directory`, which exists. To be called before there
// are other threads.
void EnterOwnFiles(const std::string& directory, const std::map<std::string, std::string>& texts);

}  // namespace proxymux::harness
