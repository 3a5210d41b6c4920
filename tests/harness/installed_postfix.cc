#include "tests/harness/installed_postfix.h"

#include <sstream>
#include <stdexcept>

#include "tests/harness/process.h"

namespace proxymux::harness {
namespace {

// "3.7.11", or "3.12-20260101" of a snapshot.
PostfixRelease ReadRelease(const std::string& version) {
  PostfixRelease release;
  char dot = 0;
  std::istringstream text(version);
  if (!(text >> release.major >> dot >> release.minor) || dot != '.') {
    throw std::runtime_error("postconf tells no release: " + version);
  }
  return release;
}

InstalledPostfix Ask() {
  std::istringstream lines(RunOrThrow({"postconf", "-dh", "mail_version", "daemon_directory"}));
  std::string version;
  InstalledPostfix postfix;
  std::getline(lines, version);
  std::getline(lines, postfix.daemon_directory);
  postfix.release = ReadRelease(version);
  postfix.dialect = protocol::DialectOfRelease(postfix.release.major, postfix.release.minor);
  return postfix;
}

}  // namespace

const InstalledPostfix& TheInstalledPostfix() {
  static const InstalledPostfix postfix = Ask();
  return postfix;
}

}  // namespace proxymux::harness
