#include "tests/harness/allocations.h"

#include <cstdlib>
#include <new>

namespace proxymux::harness {
namespace {

thread_local bool is_counted = false;

}  // namespace

std::atomic<std::size_t> allocations = 0;
std::atomic<bool> counting = true;

void CountAllocationsOfThisThread() { is_counted = true; }

}  // namespace proxymux::harness

// Not inlined: the compiler would see free() for what it takes for new.
__attribute__((noinline)) void* operator new(std::size_t size) {
  using namespace proxymux::harness;
  if (is_counted && counting.load(std::memory_order_relaxed)) ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
