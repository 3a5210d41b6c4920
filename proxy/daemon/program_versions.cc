#include "proxy/daemon/program_versions.h"

#include "pgsql/libpq/pg_pools.h"
#include "proxy/process/program_file.h"
#include "proxy/uv/uv_version.h"

namespace proxymux::proxy {

ProgramVersions LibraryVersions() {
  ProgramVersions versions;
  versions.build_id = BuildId();
  versions.libpq = pgsql::LibpqVersion();
  versions.libuv = LibuvVersion();
  return versions;
}

}  // namespace proxymux::proxy
