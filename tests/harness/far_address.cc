#include "tests/harness/far_address.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <utility>

#include "tests/harness/process.h"

namespace proxymux::harness {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kDevice[] = "far0";

// RFC 791: where the addresses of a packet stand.
constexpr std::size_t kSource = 12;
constexpr std::size_t kDestination = 16;
constexpr std::size_t kShortestHeader = 20;

bool IsIpv4(const std::string& packet) {
  return packet.size() >= kShortestHeader && static_cast<unsigned char>(packet[0]) >> 4 == 4;
}

}  // namespace

FarAddress::FarAddress(std::chrono::milliseconds one_way) : one_way_(one_way) {
  device_ = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  ifreq request{};
  std::strcpy(request.ifr_name, kDevice);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (device_ < 0 || ::ioctl(device_, TUNSETIFF, &request) != 0 || ::pipe2(end_, O_CLOEXEC) != 0) {
    throw std::runtime_error(std::string("no TUN device: ") + std::strerror(errno));
  }
  CommandOptions options;
  options.input = std::string("address add ") + listening_address() + "/30 dev " + kDevice +
                  "\nlink set " + kDevice + " up\n";
  RunOrThrow({"ip", "-batch", "-"}, options);
  thread_ = std::thread([this] { PassOn(); });
}

FarAddress::~FarAddress() {
  ::close(end_[1]);
  thread_.join();
  ::close(end_[0]);
  ::close(device_);
}

void FarAddress::PassOn() const {
  std::deque<std::pair<Clock::time_point, std::string>> under_way;
  while (true) {
    int timeout = -1;
    if (!under_way.empty()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(under_way.front().first - Clock::now());
      timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    pollfd waits[] = {{device_, POLLIN, 0}, {end_[0], POLLIN, 0}};
    ::poll(waits, 2, timeout);
    if (waits[1].revents != 0) return;
    std::string packet(65536, '\0');
    const ssize_t size = ::read(device_, packet.data(), packet.size());
    if (size > 0) {
      packet.resize(static_cast<std::size_t>(size));
      if (IsIpv4(packet)) {
        std::swap_ranges(packet.begin() + kSource, packet.begin() + kDestination,
                         packet.begin() + kDestination);
        under_way.emplace_back(Clock::now() + one_way_, std::move(packet));
      }
    }
    while (!under_way.empty() && under_way.front().first <= Clock::now()) {
      const std::string& due = under_way.front().second;
      // A packet that the kernel does not take is one that got lost.
      static_cast<void>(::write(device_, due.data(), due.size()) > 0);
      under_way.pop_front();
    }
  }
}

}  // namespace proxymux::harness
