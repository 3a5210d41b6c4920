#include "tests/differential/differential_table.h"

namespace proxymux::differential {

std::string ConnectionLines() {
  return "hosts = @HOSTS@\nuser = @USER@\npassword = @PASSWORD@\ndbname = @DATABASE@\n";
}

}  // namespace proxymux::differential
