#include "proxy/install/switch_plan.h"

#include <algorithm>
#include <optional>

#include "proxy/process/service_lines.h"

namespace proxymux::proxy {
namespace {

using config::MasterService;

constexpr char kUnix[] = "unix";
constexpr char kStock[] = "proxymap";   // stock's service, and its program
constexpr char kBeside[] = "proxymux";  // ours beside it, and our program
constexpr char kWhichService[] = "proxymap_service_name";
// It says what is so by default.
constexpr std::string_view kOption = "-o proxymap_service_name=proxymap";

std::vector<std::string> Line(const std::string& service, const std::string& fields,
                              const std::string& command) {
  return {"-M", service + "/unix=" + service + " unix " + fields + " " + command};
}

// What a line tells its program, but for the option that this program writes.
std::string Arguments(const MasterService* service) {
  if (service == nullptr) return {};
  std::string arguments = service->arguments;
  const std::size_t at = arguments.find(kOption);
  const std::size_t end = at + kOption.size();
  const auto is_blank = [&](std::size_t i) { return arguments[i] == ' ' || arguments[i] == '\t'; };
  const bool whole = at != std::string::npos && (at == 0 || is_blank(at - 1)) &&
                     (end == arguments.size() || is_blank(end));
  if (whole) arguments.erase(at, kOption.size());
  const std::size_t begin = arguments.find_first_not_of(" \t");
  return begin == std::string::npos ? std::string() : arguments.substr(begin);
}

std::string Words(const std::string& first, const std::string& second) {
  return second.empty() ? first : first + " " + second;
}

// One process, without a chroot (master(5)).
constexpr char kOurFields[] = "- - n - 1";

std::vector<std::string> BesideLine(const MasterService* stock) {
  return Line(kBeside, kOurFields, Words(kBeside, Arguments(stock)));
}

std::vector<std::string> InPlaceLine(const MasterService* stock) {
  return Line(kStock, kOurFields,
              Words(std::string(kBeside) + " " + std::string(kOption), Arguments(stock)));
}

// Stock's line as it was last; where ours stands in its place, with what that tells its program.
std::vector<std::string> StockLine(const SwitchFiles& files, const MasterService* ours) {
  std::string fields = "- - n - -";
  std::string arguments = Arguments(ours);
  for (const config::MasterCf& backup : files.backups) {
    const MasterService* stock = backup.InForce(kStock, kUnix);
    if (stock == nullptr || stock->command != kStock) continue;
    fields = stock->private_ + " " + stock->unprivileged + " " + stock->chroot + " " +
             stock->wakeup + " " + stock->process_limit;
    if (ours == nullptr) arguments = Arguments(stock);
    break;
  }
  return Line(kStock, fields, Words(kStock, arguments));
}

std::string At(const SwitchFiles& files, int line) {
  return files.master_cf.file + ":" + std::to_string(line) + ": ";
}

// The option of a service in force that sends its own lookups somewhere; null: it has none.
const config::MasterOverride* OwnWay(const SwitchFiles& files, const MasterService& service) {
  if (files.master_cf.InForce(service.name, service.type) != &service) return nullptr;
  const config::MasterOverride* own = nullptr;
  for (const config::MasterOverride& each : service.overrides) {
    if (each.name == kWhichService) own = &each;
  }
  return own;
}

// Of services that are not sent where main.cf says.
std::string NotesOnOwnWays(const SwitchFiles& files, const std::string& service_name) {
  std::string notes;
  for (const MasterService& service : files.master_cf.services) {
    const config::MasterOverride* own = OwnWay(files, service);
    const bool is_lookup_service = service.name == kStock || service.name == kBeside;
    if (own == nullptr || is_lookup_service || own->value == service_name) continue;
    notes += At(files, own->line) + "the service " + service.name + " goes on asking " +
             own->value + ", as its own option " + kWhichService + " says\n";
  }
  return notes;
}

bool SomebodyIsSentTo(const SwitchFiles& files, const std::string& service_name) {
  return std::ranges::any_of(files.master_cf.services, [&](const MasterService& service) {
    const config::MasterOverride* own = OwnWay(files, service);
    return own != nullptr && own->value == service_name;
  });
}

bool IsOneOf(const MasterService* service, const std::vector<const MasterService*>& services) {
  return std::ranges::find(services, service) != services.end();
}

}  // namespace

std::variant<SwitchPlan, std::string> PlanInstall(const SwitchFiles& files, SwitchWay way) {
  const auto ours = OurServices(files.master_cf);
  const MasterService* const stock = files.master_cf.InForce(kStock, kUnix);
  const bool in_place = IsOneOf(stock, ours);
  SwitchPlan plan;
  plan.ours = true;
  plan.service = way == SwitchWay::kInPlace ? kStock : kBeside;
  plan.note = NotesOnOwnWays(files, plan.service);
  if (way == SwitchWay::kInPlace) {
    if (files.service_name != kStock) {
      return "main.cf sends lookups to the service " + files.service_name + " (" + kWhichService +
             "): first `proxymux uninstall`, or take that setting out";
    }
    if (stock != nullptr && !in_place && stock->command != kStock) {
      return At(files, stock->line) + "the service proxymap runs another program, " +
             stock->command;
    }
    if (!in_place || !files.master_cf.names_stock_proxymap) {
      plan.master_cf.push_back(InPlaceLine(stock));
    }
    return plan;
  }
  if (in_place) {
    return At(files, stock->line) +
           "proxymux stands in stock's place already: first `proxymux uninstall`, or install with "
           "--in-place";
  }
  if (files.service_name != kStock && files.service_name != kBeside) {
    return "main.cf sends lookups to the service " + files.service_name + " (" + kWhichService +
           "), which is neither stock's nor ours: take that setting out first";
  }
  const MasterService* const beside = files.master_cf.InForce(kBeside, kUnix);
  if (beside == nullptr) {
    plan.master_cf.push_back(BesideLine(stock));
  } else if (!IsOneOf(beside, ours)) {
    return At(files, beside->line) + "the service proxymux runs another program, " +
           beside->command;
  }
  if (files.service_name != kBeside) {
    plan.main_cf.push_back({"-e", std::string(kWhichService) + "=" + kBeside});
  }
  return plan;
}

std::variant<SwitchPlan, std::string> PlanUninstall(const SwitchFiles& files) {
  const auto ours = OurServices(files.master_cf);
  const MasterService* const stock = files.master_cf.InForce(kStock, kUnix);
  SwitchPlan plan;
  plan.service = kStock;
  if (IsOneOf(stock, ours)) plan.master_cf.push_back(StockLine(files, stock));
  const MasterService* const named = files.master_cf.InForce(files.service_name, kUnix);
  const bool names_ours = named == nullptr ? files.service_name == kBeside : IsOneOf(named, ours);
  if (files.service_name_is_set && files.service_name != kStock && names_ours) {
    if (stock == nullptr) plan.master_cf.push_back(StockLine(files, nullptr));
    plan.main_cf.push_back({"-X", kWhichService});
  }
  plan.note = NotesOnOwnWays(files, plan.service);
  const std::string here = " -c " + files.config_directory + " ";
  for (const MasterService* service : ours) {
    if (service == stock || SomebodyIsSentTo(files, service->name)) continue;
    plan.note += At(files, service->line) + "the service " + service->name +
                 " stays, and nobody is sent there any more; take it out when no daemon is left "
                 "that was: postconf" +
                 here + "-MX " + service->name + "/" + service->type + " && postfix" + here +
                 "reload\n";
  }
  return plan;
}

std::string WithOptionInLine(std::string_view master_cf) {
  std::string text(master_cf);
  for (std::size_t at = text.find(kOption); at != std::string::npos;
       at = text.find(kOption, at + 1)) {
    const std::size_t end = text.find_last_not_of(" \t", at == 0 ? 0 : at - 1);
    if (at == 0 || end == std::string::npos || text[end] != '\n' || end == 0) continue;
    const std::size_t line = text.rfind('\n', end - 1) + 1;  // 0 behind npos
    const std::string_view begin = std::string_view(text).substr(line, end - line);
    if (!begin.starts_with(kStock)) continue;
    text.replace(end, at - end, " ");
    at = end;
  }
  return text;
}

}  // namespace proxymux::proxy
