// Reading a small file whole.
#pragma once

#include <optional>
#include <string>

namespace proxymux::proxy {

// Table files, main.cf and the like; more is refused.
inline constexpr std::size_t kMaxTextFile = 8 << 20;

// The content, or nothing and `*error` set to why ("No such file or directory").
std::optional<std::string> ReadTextFile(const std::string& path, std::string* error);

}  // namespace proxymux::proxy
