// Reading what comes through an encryption library (TLS, GSSAPI) until nothing is left in it.
//
// Such a library takes one record at a time from the kernel, of up to 16 KiB, and gives libpq as
// much of it as libpq has room for, 8 KiB at least. What is left of the record makes no socket
// readable: whoever waits for the socket waits for ever. libpq cannot be asked whether there is
// such a rest. But two reads take it, provided that they took nothing else: when the kernel had
// nothing for them before and nothing has come in since, the library is empty.
//
// Pure: the connection is an interface. One call takes a bounded number of reads, however much a
// server sends.
#pragma once

#include <cstddef>
#include <cstdint>

namespace proxymux::pgsql {

class InputSource {
 public:
  virtual ~InputSource() = default;
  virtual bool Read() = 0;                         // once; false: the connection is broken
  virtual std::uint64_t BytesArrived() const = 0;  // that the kernel has received so far
  virtual std::size_t BytesInKernel() const = 0;   // of these, what nobody has read yet
};

enum class InputRest {
  kNothing,  // or it makes the socket readable
  kPerhaps,  // something came in meanwhile: read again, whether the socket is readable or not
  kBroken,
};

// Reads what there is, and says what may be left.
InputRest ReadEncrypted(InputSource& source);

}  // namespace proxymux::pgsql
