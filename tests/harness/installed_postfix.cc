#include "tests/harness/installed_postfix.h"

#include <sstream>
#include <stdexcept>

#include "tests/harness/process.h"

namespace proxymux::harness {

PostfixRelease ReadRelease(const std::string& version) {
  PostfixRelease release;
  char dot = 0;
  std::istringstream text(version);
  if (!(text >> release.major >> dot >> release.minor) || dot != '.') {
    throw std::runtime_error("no release of Postfix: " + version);
  }
  return release;
}

namespace {

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
