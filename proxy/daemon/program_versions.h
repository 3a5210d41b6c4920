// What the program runs with, asked of each library.
#pragma once

#include "proxy/status/version.h"

namespace proxymux::proxy {

// All but `postfix`, which is asked where main.cf is read.
ProgramVersions LibraryVersions();

}  // namespace proxymux::proxy
