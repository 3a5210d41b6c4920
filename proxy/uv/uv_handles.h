// Owners for libuv handles: destroying one closes the handle, and the memory is freed in the close
// callback, as libuv wants.
//
// A libuv handle must stay in memory until uv_close() has called back, which is one turn of the
// loop later. Each class here keeps the handle in a heap block that outlives the owner by that
// turn.
// clang-format off
// The rules that follow from that:
//   - Close() (or destruction) may happen anywhere on the loop's thread, also inside the handle's
//     own callback. No callback runs after it. The loop must run once more for the memory to be
//     freed, and before uv_loop_close().
//   - Owners are movable, not copyable, and empty until made; get() of an empty owner is nullptr.
//   - A socket that UvPoll watches may be closed as soon as the UvPoll has been closed, not before.
//   - A UvProcess that is closed before its exit callback leaves an unreaped child behind: keep the
//     UvProcess until then.
//   - Calls that can fail return libuv's result: 0 or a negative error, for uv_strerror().
//   - A handle that should not keep the loop running by itself gets Unref().
// clang-format on
#pragma once

#include <uv.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace proxymux::proxy {

// What all owners share. `Callback` is the signature of the function that the owner gives.
template <typename Handle, typename Callback>
class UvHandle {
 public:
  UvHandle() = default;
  UvHandle(UvHandle&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  UvHandle& operator=(UvHandle&& other) noexcept {
    if (this != &other) {
      Close();
      box_ = std::exchange(other.box_, nullptr);
    }
    return *this;
  }
  UvHandle(const UvHandle&) = delete;
  UvHandle& operator=(const UvHandle&) = delete;
  ~UvHandle() { Close(); }

  // Gives the events to another function from here on; not from inside the present one.
  void SetCallback(std::function<Callback> callback) { box_->callback = std::move(callback); }

  Handle* get() const { return box_ == nullptr ? nullptr : &box_->handle; }
  bool is_open() const { return box_ != nullptr; }
  void Unref() { uv_unref(AsHandle(box_)); }

  void Close() {
    if (box_ == nullptr) return;
    Box* const box = std::exchange(box_, nullptr);
    box->open = false;
    if (!box->initialized) {
      delete box;
      return;
    }
    uv_close(AsHandle(box), [](uv_handle_t* handle) { delete static_cast<Box*>(handle->data); });
  }

 protected:
  struct Box {
    Handle handle{};
    std::function<Callback> callback;
    bool initialized = false;  // libuv knows the handle
    bool open = true;          // false: closing, call nobody
  };

  static uv_handle_t* AsHandle(Box* box) { return reinterpret_cast<uv_handle_t*>(&box->handle); }

  // Takes a fresh block; the class that derives then calls uv_*_init on get() and, when that
  // worked, MarkInitialized().
  Handle* Allocate(std::function<Callback> callback) {
    Close();
    box_ = new Box;
    box_->callback = std::move(callback);
    return &box_->handle;
  }
  void MarkInitialized() {
    box_->initialized = true;
    box_->handle.data = box_;
  }

  // The block stays until the close callback, so the function may destroy its own owner.
  template <typename... Args>
  static void Call(Handle* handle, Args... args) {
    Box* const box = static_cast<Box*>(handle->data);
    if (box->open && box->callback) box->callback(args...);
  }

  Box* box_ = nullptr;
};

// One-shot or repeating timer. Whole milliseconds, rounded up, of libuv's clock, which drops
// fractions of a millisecond: the timer may fire up to one millisecond early.
class UvTimer : public UvHandle<uv_timer_t, void()> {
 public:
  UvTimer() = default;
  UvTimer(uv_loop_t* loop, std::function<void()> on_expiry) {
    uv_timer_init(loop, Allocate(std::move(on_expiry)));
    MarkInitialized();
  }
  template <typename Rep, typename Period>
  void Start(std::chrono::duration<Rep, Period> after) {
    StartMilliseconds(ToMilliseconds(after), 0);
  }
  template <typename Rep, typename Period>
  void StartRepeating(std::chrono::duration<Rep, Period> every) {
    const std::uint64_t period = std::max<std::uint64_t>(1, ToMilliseconds(every));
    StartMilliseconds(period, period);
  }
  void Stop() { uv_timer_stop(get()); }

 private:
  template <typename Rep, typename Period>
  static std::uint64_t ToMilliseconds(std::chrono::duration<Rep, Period> value) {
    const auto count = std::chrono::ceil<std::chrono::milliseconds>(value).count();
    return count < 0 ? 0 : static_cast<std::uint64_t>(count);
  }
  void StartMilliseconds(std::uint64_t after, std::uint64_t repeat) {
    uv_timer_start(
        get(), [](uv_timer_t* handle) { Call(handle); }, after, repeat);
  }
};

// Readiness of a descriptor that somebody else owns. The callback gets libuv's status (0 or
// negative) and UV_READABLE, UV_WRITABLE, UV_DISCONNECT bits.
class UvPoll : public UvHandle<uv_poll_t, void(int status, int events)> {
 public:
  UvPoll() = default;
  // Fails for what epoll cannot watch (a plain file) or a descriptor that is watched already.
  int Open(uv_loop_t* loop, int fd, std::function<void(int, int)> on_ready) {
    const int result = uv_poll_init(loop, Allocate(std::move(on_ready)), fd);
    if (result == 0) {
      MarkInitialized();
    } else {
      Close();
    }
    return result;
  }
  // 0 stops watching.
  int SetEvents(int events) {
    if (events == 0) return uv_poll_stop(get());
    return uv_poll_start(get(), events, [](uv_poll_t* handle, int status, int ready) {
      Call(handle, status, ready);
    });
  }
};

// Wakes the loop from another thread; Send() is the only call here that may come from there.
class UvAsync : public UvHandle<uv_async_t, void()> {
 public:
  UvAsync() = default;
  int Open(uv_loop_t* loop, std::function<void()> on_wake) {
    const int result =
        uv_async_init(loop, Allocate(std::move(on_wake)), [](uv_async_t* handle) { Call(handle); });
    if (result == 0) {
      MarkInitialized();
    } else {
      Close();
    }
    return result;
  }
  void Send() { uv_async_send(get()); }
};

// Runs after the loop has polled, once per turn, while started.
class UvCheck : public UvHandle<uv_check_t, void()> {
 public:
  UvCheck() = default;
  UvCheck(uv_loop_t* loop, std::function<void()> on_check) {
    uv_check_init(loop, Allocate(std::move(on_check)));
    MarkInitialized();
  }
  void Start() {
    uv_check_start(get(), [](uv_check_t* handle) { Call(handle); });
  }
  void Stop() { uv_check_stop(get()); }
};

// Runs before the loop polls, once per turn, while started.
class UvPrepare : public UvHandle<uv_prepare_t, void()> {
 public:
  UvPrepare() = default;
  UvPrepare(uv_loop_t* loop, std::function<void()> on_prepare) {
    uv_prepare_init(loop, Allocate(std::move(on_prepare)));
    MarkInitialized();
  }
  void Start() {
    uv_prepare_start(get(), [](uv_prepare_t* handle) { Call(handle); });
  }
  void Stop() { uv_prepare_stop(get()); }
};

// While started the loop does not sleep: every turn runs the callback.
class UvIdle : public UvHandle<uv_idle_t, void()> {
 public:
  UvIdle() = default;
  UvIdle(uv_loop_t* loop, std::function<void()> on_turn) {
    uv_idle_init(loop, Allocate(std::move(on_turn)));
    MarkInitialized();
  }
  void Start() {
    uv_idle_start(get(), [](uv_idle_t* handle) { Call(handle); });
  }
  void Stop() { uv_idle_stop(get()); }
};

// A signal, delivered as an event of the loop.
class UvSignal : public UvHandle<uv_signal_t, void(int signal_number)> {
 public:
  UvSignal() = default;
  int Start(uv_loop_t* loop, int signal_number, std::function<void(int)> on_signal) {
    const int result = uv_signal_init(loop, Allocate(std::move(on_signal)));
    if (result != 0) {
      Close();
      return result;
    }
    MarkInitialized();
    return uv_signal_start(
        get(), [](uv_signal_t* handle, int number) { Call(handle, number); }, signal_number);
  }
};

// A child process. `on_exit` gets the exit status and the signal that ended it (0: none) when the
// child has been reaped. `options` is as for uv_spawn(); its exit_cb is set here.
class UvProcess : public UvHandle<uv_process_t, void(std::int64_t exit_status, int signal_number)> {
 public:
  UvProcess() = default;
  int Spawn(uv_loop_t* loop, uv_process_options_t options,
            std::function<void(std::int64_t, int)> on_exit) {
    Allocate(std::move(on_exit));
    // The block must carry its address before the callback can run; uv_spawn() leaves `data` alone.
    MarkInitialized();
    options.exit_cb = [](uv_process_t* handle, std::int64_t status, int number) {
      Call(handle, status, number);
    };
    const int result = uv_spawn(loop, get(), &options);
    if (result != 0) Close();  // libuv has initialized the handle even when the spawn failed
    return result;
  }
  int pid() const { return box_ == nullptr ? 0 : get()->pid; }
  int Kill(int signal_number) { return uv_process_kill(get(), signal_number); }
};

// A UNIX-domain (or TCP) stream given as a connected or listening descriptor of our own, which it
// takes over and closes. `on_read` gets the bytes, or an empty view and libuv's negative status at
// the end (UV_EOF) or an error.
class UvPipe : public UvHandle<uv_pipe_t, void(std::string_view bytes, std::int64_t status)> {
 public:
  UvPipe() = default;
  int Open(uv_loop_t* loop, int fd, std::function<void(std::string_view, std::int64_t)> on_read) {
    int result = uv_pipe_init(loop, Allocate(std::move(on_read)), 0);
    if (result != 0) {
      Close();
      return result;
    }
    MarkInitialized();
    result = uv_pipe_open(get(), fd);
    if (result != 0) Close();
    return result;
  }
  uv_stream_t* stream() const { return reinterpret_cast<uv_stream_t*>(get()); }

  // The bytes are valid during the callback only. One buffer serves all pipes of a thread: libuv
  // fills it and hands it over within one call.
  int StartReading() {
    return uv_read_start(
        stream(),
        [](uv_handle_t*, std::size_t, uv_buf_t* buffer) {
          static thread_local std::unique_ptr<char[]> shared(new char[kReadSize]);
          *buffer = uv_buf_init(shared.get(), kReadSize);
        },
        [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
          if (size == 0) return;  // EAGAIN
          const std::string_view bytes =
              size > 0 ? std::string_view(buffer->base, static_cast<std::size_t>(size))
                       : std::string_view();
          Call(reinterpret_cast<uv_pipe_t*>(stream), bytes, static_cast<std::int64_t>(size));
        });
  }
  void StopReading() { uv_read_stop(stream()); }

 private:
  static constexpr unsigned kReadSize = 64 << 10;
};

}  // namespace proxymux::proxy
