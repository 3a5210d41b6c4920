// The functions of domain names that main.cf values may call (postconf(5), Postfix 3.11 and later):
// `${domain_to_ascii{text}}` and `${domain_to_utf8{text}}`.
//
// Names are converted by UTS #46 without its transitional rules, as Postfix does while
// enable_idna2003_compatibility is off. A name that is in the wanted form already stays as it is.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace proxymux::config {

// Labels of other scripts as `xn--...`. Nothing: it is not the name of a domain. Nothing at all is
// taken as a name here, and stays.
std::optional<std::string> DomainToAscii(std::string_view name);
// Labels `xn--...` in their own script, as UTF-8.
std::optional<std::string> DomainToUtf8(std::string_view name);

}  // namespace proxymux::config
