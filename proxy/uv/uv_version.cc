#include "proxy/uv/uv_version.h"

#include <uv.h>

namespace proxymux::proxy {

std::string LibuvVersion() { return uv_version_string(); }

}  // namespace proxymux::proxy
