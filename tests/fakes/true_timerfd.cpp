// Preloaded before libfaketime, which moves every absolute timer by its wrong clock, those of the
// monotonic clock too. Asio sets such a one when its next timer is due already: without this that
// timer fires years later, and with it everything that waits for a time.
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

extern "C" int timerfd_settime(int timer, int flags, const itimerspec* wanted,
                               itimerspec* before) noexcept {
    return static_cast<int>(syscall(SYS_timerfd_settime, timer, flags, wanted, before));
}
