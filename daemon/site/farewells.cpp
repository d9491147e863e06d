#include "daemon/site/farewells.h"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>

#include "storage/names_file.h"

using namespace std::chrono_literals;

namespace fieldgate {

asio::awaitable<void> Farewells::keep() {
    kept_ = co_await worker_.run([this] { return storage::read_names(file_); });
    read_ = true;
    for (const std::string& device_id : kept_)
        if (const auto index = table_.intern(device_id)) devices_.owe(*index, device_id);
    asio::steady_timer timer(loop_);
    for (;;) {
        timer.expires_after(1s);
        co_await timer.async_wait(asio::use_awaitable);
        co_await keep_last();
    }
}

asio::awaitable<void> Farewells::keep_last() {
    if (!read_ || kept_ == devices_.owed()) co_return;
    kept_ = devices_.owed();
    (void)co_await worker_.run([&] {
        storage::keep_names(file_, kept_);
        return true;
    });
}

}  // namespace fieldgate
