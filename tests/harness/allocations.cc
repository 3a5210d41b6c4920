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

static void* Allocate(std::size_t size) {
  if (is_counted && counting.load(std::memory_order_relaxed)) ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace proxymux::harness

// Not inlined: the compiler would see free() for what it takes for new.
__attribute__((noinline)) void* operator new(std::size_t size) {
  if (void* memory = proxymux::harness::Allocate(size)) return memory;
  throw std::bad_alloc();
}
// std::stable_sort(), as googletest uses it, allocates so and frees by delete. A sanitizer has one
// of its own, whose memory is not for free().
__attribute__((noinline)) void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return proxymux::harness::Allocate(size);
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
