#include "proxy/cli/ctl_view.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "proxy/status/slow_text.h"
#include "proxy/status/status_rates.h"
#include "proxy/status/status_text.h"
#include "proxy/text/terminal_width.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// The views of one service, one after the other.
class Views {
 public:
  Views(CtlService service, StatusView view) : service_(std::move(service)), view_(view) {}

  // Nothing: standard error has the reason. `width` in columns.
  std::optional<std::string> Next(std::size_t width) {
    std::optional<std::string> document = service_.Get("/status.json");
    if (!document.has_value()) return std::nullopt;
    view_.interval = !before_.empty();
    shown_ = before_.empty() ? *document : RatesSince(before_, *document);
    before_ = *std::move(document);
    return Again(width);
  }
  // The same once more, in another order or width.
  std::optional<std::string> Again(std::size_t width) {
    view_.width = width;
    auto text = StatusText(shown_, view_);
    if (const auto* error = std::get_if<StatusTextError>(&text)) {
      std::cerr << "proxymux: " << error->text << "\n";
      return std::nullopt;
    }
    return std::get<std::string>(std::move(text));
  }
  void SortBy(TableOrder order) { view_.order = order; }

 private:
  const CtlService service_;
  StatusView view_;
  std::string before_;  // the latest document, as it came
  std::string shown_;   // with the rates since the one before it
};

std::size_t Width() { return OutputWidth(STDOUT_FILENO, std::getenv("COLUMNS")); }

std::optional<Views> ViewsOf(const CtlViewOptions& options) {
  auto service = CtlService::Find(options.target);
  if (!service.has_value()) return std::nullopt;
  return Views(*std::move(service), {.wide = options.wide});
}

volatile std::sig_atomic_t ended = 0;

// The whole terminal for this program: keys come as they are pressed, and what was there before is
// there again afterwards, also when a signal ends it.
class Screen {
 public:
  Screen() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;  // nobody would bring the screen back
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    struct sigaction action {};
    action.sa_handler = [](int) { ended = 1; };
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
    std::cout << "\x1b[?1049h\x1b[?7l\x1b[?25l"
              << std::flush;  // another screen; lines end; no cursor
  }
  ~Screen() {
    std::cout << "\x1b[?25h\x1b[?7h\x1b[?1049l" << std::flush;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // As much of it as there is room for.
  static void Show(std::string_view text) {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    std::string out = "\x1b[H";
    int row = known ? size.ws_row : 24;
    for (; row > 0 && !text.empty(); --row) {
      const std::size_t end = text.find('\n');
      out.append("\x1b[K").append(text.substr(0, end));  // and nothing of the line before
      if (row > 1) out += "\r\n";
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    if (row > 0) out += "\x1b[J";
    std::cout << out << std::flush;
  }

  // The key that is pressed until then; 0: none was.
  static char Key(Clock::time_point until) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    pollfd watched = {STDIN_FILENO, POLLIN, 0};
    char key = 0;
    if (left <= 0 || poll(&watched, 1, static_cast<int>(left)) <= 0) return 0;
    return read(STDIN_FILENO, &key, 1) == 1 ? key : 'q';
  }

 private:
  termios before_{};
};

std::optional<TableOrder> OrderOf(char key) {
  switch (key) {
    case 'n':
      return TableOrder::kName;
    case 'l':
      return TableOrder::kRate;
    case 'f':
      return TableOrder::kFailures;
    case 'p':
      return TableOrder::kLatency;
    default:
      return std::nullopt;
  }
}

}  // namespace

int ShowStatus(const CtlViewOptions& options) {
  if (options.json) {
    const auto service = CtlService::Find(options.target);
    if (!service.has_value()) return EXIT_FAILURE;
    const std::optional<std::string> document = service->Get("/status.json");
    if (document.has_value()) std::cout << *document << "\n";
    return document.has_value() ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  std::optional<Views> views = ViewsOf(options);
  if (!views.has_value()) return EXIT_FAILURE;
  for (;;) {
    const std::optional<std::string> text = views->Next(Width());
    if (!text.has_value()) return EXIT_FAILURE;
    std::cout << *text << std::flush;
    if (options.interval == 0) return EXIT_SUCCESS;
    if (!std::cout) return EXIT_FAILURE;  // nobody reads any more
    std::this_thread::sleep_for(seconds(options.interval));
    std::cout << "\n";
  }
}

int ShowTop(const CtlViewOptions& options) {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) {
    std::cerr << "proxymux: top needs a terminal; without one: proxymux ctl status --interval 5\n";
    return EXIT_FAILURE;
  }
  std::optional<Views> views = ViewsOf(options);
  if (!views.has_value()) return EXIT_FAILURE;
  std::optional<std::string> text = views->Next(Width());
  if (!text.has_value()) return EXIT_FAILURE;
  {
    const Screen screen;
    for (Clock::time_point next = Clock::now(); text.has_value() && ended == 0;) {
      Screen::Show(*text);
      if (Clock::now() >= next) next = Clock::now() + seconds(options.interval);
      const char key = Screen::Key(next);
      if (key == 'q') return EXIT_SUCCESS;
      const std::optional<TableOrder> order = OrderOf(key);
      if (order.has_value()) views->SortBy(*order);
      if (key != 0) {
        text = views->Again(Width());
      } else if (Clock::now() >= next) {
        text = views->Next(Width());
      }
    }
  }
  if (text.has_value() || ended != 0) return EXIT_SUCCESS;
  std::cerr << "proxymux: the service does not answer any more\n";  // why went with the screen
  return EXIT_FAILURE;
}

int ShowSlow(const CtlTarget& target) {
  const auto service = CtlService::Find(target);
  if (!service.has_value()) return EXIT_FAILURE;
  const std::optional<std::string> document = service->Get("/status.json");
  if (!document.has_value()) return EXIT_FAILURE;
  const auto text = SlowText(*document, Width());
  if (const auto* error = std::get_if<StatusTextError>(&text)) {
    std::cerr << "proxymux: " << error->text << "\n";
    return EXIT_FAILURE;
  }
  std::cout << std::get<std::string>(text);
  return EXIT_SUCCESS;
}

}  // namespace proxymux::proxy
