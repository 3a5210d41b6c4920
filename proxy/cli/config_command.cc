#include "proxy/cli/config_command.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "config/yaml/config_text.h"
#include "config/yaml/yaml_loader.h"
#include "proxy/cli/config_directory.h"
#include "proxy/text/shown_text.h"

namespace proxymux::proxy {
namespace {

int ShowConfig(const std::string& config_directory) {
  if (!std::filesystem::is_directory(config_directory)) {
    std::cerr << "proxymux: there is no directory " << config_directory << "\n";
    return EXIT_FAILURE;
  }
  const config::LoadedConfig loaded = config::LoadConfigFile(config_directory + "/proxymux.yaml");
  for (const config::Diagnostic& diagnostic : loaded.diagnostics) {
    std::cerr << ShownText(diagnostic.ToString()) << "\n";
  }
  std::cout << config::RenderConfig(loaded.config);
  return loaded.HasErrors() ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace

void AddConfigCommand(CLI::App* app, int* status) {
  CLI::App* command = app->add_subcommand("config", "The settings of proxymux.yaml");
  command->require_subcommand(1);
  const auto directory = std::make_shared<std::string>(DefaultConfigDirectory());
  CLI::App* show = command->add_subcommand("show", "Every setting in effect");
  show->add_option("-c,--config-directory", *directory, "Where proxymux.yaml is")
      ->capture_default_str();
  show->callback([directory, status] { *status = ShowConfig(*directory); });
  command->add_subcommand("reference", "Every setting with its meaning, as an example file")
      ->callback([] { std::cout << config::RenderReference(); });
}

}  // namespace proxymux::proxy
