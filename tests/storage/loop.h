#pragma once
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace fieldgate::storage {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// Where there is no disk to wait for, if there is such a place.
inline fs::path in_memory() {
    return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
}

/// A folder that goes with the test.
class TempFolder {
public:
    explicit TempFolder(const fs::path& where = fs::temp_directory_path()) {
        std::string name = (where / "fieldgate-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TempFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

inline constexpr std::array store_files{"outbox.db", "outbox.db-wal", "control.db",
                                        "control.db-wal", "control.unnoted"};

/// What a power cut would have left: the files as they are now.
inline void copy_store(const std::string& from, const std::string& to) {
    for (const char* name : store_files)
        if (fs::exists(from + "/" + name))
            fs::copy_file(from + "/" + name, to + "/" + name, fs::copy_options::overwrite_existing);
}

/// The same while a worker may write: what all of them are at one moment.
inline void copy_at_rest(const std::string& from, const std::string& to) {
    const auto read = [](const std::string& folder) {
        std::string all;
        for (const char* name : store_files) {
            const bool there = fs::is_regular_file(folder + "/" + name);
            std::ifstream file(folder + "/" + name, std::ios::binary);
            all += std::string(name) + (there ? ":" : "-");
            if (there) all.append(std::istreambuf_iterator<char>(file), {});
        }
        return all;
    };
    do {
        for (const char* name : store_files) fs::remove(to + "/" + name);
        std::error_code gone;  // a file may go between a look and the copy
        for (const char* name : store_files)
            fs::copy_file(from + "/" + name, to + "/" + name, gone);
    } while (read(from) != read(to));
}

/// A loop that is run until something has happened.
class Loop {
public:
    void run(asio::awaitable<void> flow) {
        bool done = false;
        std::exception_ptr thrown;
        asio::co_spawn(loop, std::move(flow), [&](const std::exception_ptr& failure) {
            thrown = failure;
            done = true;
        });
        while (!done) loop.run_one();
        if (thrown) std::rethrow_exception(thrown);
    }
    template <class T>
    T run(asio::awaitable<T> flow) {
        std::optional<T> answer;
        run(keep(std::move(flow), answer));
        return std::move(*answer);
    }
    /// Turns the loop until it is so. False after `limit`.
    bool until(const std::function<bool()>& so, std::chrono::milliseconds limit = 20s) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!so() && std::chrono::steady_clock::now() < end) loop.run_one_for(5ms);
        return so();
    }

    asio::io_context loop{1};

private:
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop.get_executor()};

    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<T> flow, std::optional<T>& answer) {
        answer.emplace(co_await std::move(flow));
    }
};

}  // namespace fieldgate::storage
