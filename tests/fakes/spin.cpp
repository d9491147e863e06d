// A fault that the program cannot see: once the file FIELDGATE_SPIN_FILE is there, the loop never
// comes back from its turn and uses a whole core. Preloaded into the real program (LD_PRELOAD).
#include <dlfcn.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cstdlib>

extern "C" int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) {
    using Wait = int (*)(int, epoll_event*, int, int);
    static const auto wait = reinterpret_cast<Wait>(dlsym(RTLD_NEXT, "epoll_wait"));
    static const char* const file = std::getenv("FIELDGATE_SPIN_FILE");
    const int ready = wait(epoll, events, most, timeout_ms);
    const bool on_the_loop = gettid() == getpid();
    if (on_the_loop && file != nullptr && access(file, F_OK) == 0)
        for (volatile bool forever = true; forever;) continue;
    return ready;
}
