#include "proxy/cli/ctl_command.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "proxy/admin/control.h"
#include "proxy/cli/ctl_service.h"
#include "proxy/cli/ctl_view.h"

namespace proxymux::proxy {
namespace {

void AddViews(CLI::App* ctl, int* status) {
  const auto once = std::make_shared<CtlViewOptions>();
  CLI::App* show = ctl->add_subcommand("status", "Pools, hosts and tables");
  once->target.AddOptions(show);
  CLI::Option* json = show->add_flag("--json", once->json, "The document as it is");
  show->add_flag("--wide", once->wide, "All columns, and the latest failures")->excludes(json);
  show->add_option("--interval", once->interval,
                   "Again after so many seconds, with the rates since")
      ->check(CLI::Range(1, 86400))
      ->excludes(json);
  show->footer("Example: proxymux ctl status --interval 5");
  show->callback([once, status] { *status = ShowStatus(*once); });

  const auto live = std::make_shared<CtlViewOptions>();
  live->interval = 2;
  CLI::App* top = ctl->add_subcommand("top", "The same, renewed on the whole terminal; q ends it");
  live->target.AddOptions(top);
  top->add_flag("--wide", live->wide, "All columns, and the latest failures");
  top->add_option("--interval", live->interval, "Seconds between two views")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  top->footer(
      "Keys: q ends it; the tables are sorted by n name, l lookups a second, f failures a second,\n"
      "p P99.\n"
      "Example: proxymux ctl top");
  top->callback([live, status] { *status = ShowTop(*live); });

  const auto target = std::make_shared<CtlTarget>();
  CLI::App* slow = ctl->add_subcommand("slow", "The latest lookups that took long (log.slow)");
  target->AddOptions(slow);
  slow->footer("Example: proxymux ctl slow");
  slow->callback([target, status] { *status = ShowSlow(*target); });
}

// A command that is carried out by the service.
class ServiceCommand {
 public:
  ServiceCommand(CLI::App* ctl, const std::string& name, const std::string& help,
                 const std::string& example, int* status)
      : command_(ctl->add_subcommand(name, help)) {
    call_->request.command = name;
    call_->target.AddOptions(command_);
    command_->footer("Example: proxymux ctl " + example);
    command_->callback([call = call_, status] {
      const auto service = CtlService::Find(call->target);
      *status = service.has_value() ? service->Do(call->request) : EXIT_FAILURE;
    });
  }

  // An argument without a name, in their order.
  ServiceCommand& Argument(const std::string& name, const std::string& help, bool required) {
    CLI::Option* option = command_->add_option_function<std::string>(
        name,
        [call = call_, name](const std::string& value) { call->request.arguments[name] = value; },
        help);
    if (required) option->required();
    return *this;
  }
  ServiceCommand& Flag(const std::string& name, const std::string& help) {
    command_->add_flag_callback(
        "--" + name, [call = call_, name] { call->request.arguments[name] = "1"; }, help);
    return *this;
  }

 private:
  struct Call {
    CtlTarget target;
    ControlRequest request;
  };

  const std::shared_ptr<Call> call_ = std::make_shared<Call>();
  CLI::App* const command_;
};

}  // namespace

void AddCtlCommand(CLI::App* app, int* status) {
  CLI::App* ctl = app->add_subcommand("ctl", "Ask a running service, or tell it what to do");
  ctl->require_subcommand(1);
  AddViews(ctl, status);
  ServiceCommand(ctl, "reload", "Read proxymux.yaml and every table file again", "reload", status);
  ServiceCommand(ctl, "drain", "Take no more clients, answer those that wait, and end", "drain",
                 status);
  ServiceCommand(ctl, "disable", "Send nothing more to a database host", "disable db1:5432", status)
      .Argument("host", "As ctl status shows it", /*required=*/true)
      .Flag("force", "Also where a pool has no other host: lookups are answered RETRY then");
  ServiceCommand(ctl, "enable", "Use a database host again", "enable db1:5432", status)
      .Argument("host", "As ctl status shows it", /*required=*/true);
  ServiceCommand(ctl, "reconnect", "Replace database connections by new ones, one after the other",
                 "reconnect db1:5432", status)
      .Argument("host", "Only those to this host", /*required=*/false);
  ServiceCommand(ctl, "forget", "Drop answers that are kept (cache and stale_if_error)",
                 "forget /etc/postfix/pgsql-aliases.cf user@example.com", status)
      .Argument("table", "Only those of this table", /*required=*/false)
      .Argument("key", "Only that for this key", /*required=*/false);
  ServiceCommand(ctl, "log-level", "Say what is logged, or change it until the next reload",
                 "log-level debug", status)
      .Argument("level", "debug, info or warning", /*required=*/false);
}

}  // namespace proxymux::proxy
