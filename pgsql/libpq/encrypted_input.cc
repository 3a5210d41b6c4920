#include "pgsql/libpq/encrypted_input.h"

namespace proxymux::pgsql {
namespace {

// 16 KiB, 8 KiB at a time.
constexpr int kReadsForOneRecord = 2;

}  // namespace

InputRest ReadEncrypted(InputSource& source) {
  if (!source.Read()) return InputRest::kBroken;
  const std::uint64_t arrived = source.BytesArrived();
  if (source.BytesInKernel() > 0) return InputRest::kNothing;
  for (int i = 0; i < kReadsForOneRecord; ++i) {
    if (!source.Read()) return InputRest::kBroken;
  }
  const bool undisturbed = source.BytesArrived() == arrived;
  return undisturbed || source.BytesInKernel() > 0 ? InputRest::kNothing : InputRest::kPerhaps;
}

}  // namespace proxymux::pgsql
