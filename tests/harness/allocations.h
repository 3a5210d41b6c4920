// Counts what a program takes from operator new, which is replaced in every program that this is
// linked to.
#pragma once

#include <atomic>
#include <cstddef>

namespace proxymux::harness {

// Of the threads that count theirs, while `counting` is set, as it is at first.
extern std::atomic<std::size_t> allocations;
extern std::atomic<bool> counting;

// From now on.
void CountAllocationsOfThisThread();

}  // namespace proxymux::harness
