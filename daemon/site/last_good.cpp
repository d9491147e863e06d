#include "daemon/site/last_good.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/digest.h"
#include "storage/whole_file.h"

namespace fieldgate {
namespace {

namespace fs = std::filesystem;

fs::path whole_path(const std::string& main_file) {
    std::error_code ignored;
    return fs::absolute(main_file, ignored).lexically_normal();
}

std::string hash_of(const std::map<std::string, std::string>& files) {
    std::string all;
    for (const auto& [path, bytes] : files)
        all.append(path).append(1, '\0').append(sha256_hex(bytes)).append(1, '\0');
    return sha256_hex(all).substr(0, 16);
}

Error failed(const fs::path& path, const std::error_code& why) {
    return {Errc::io, path.string() + ": " + why.message()};
}

// Where a file of the site is kept; nullopt: it lies elsewhere, and is read where it is.
std::optional<fs::path> kept_at(const fs::path& place, const std::string& path,
                                const std::string& main_file) {
    const fs::path from = whole_path(main_file).parent_path();
    const fs::path name = fs::path(path).lexically_relative(from);
    if (name.empty() || *name.begin() == "..") return std::nullopt;
    return place / name;
}

bool holds(const fs::path& file, const std::string& bytes) {
    std::ifstream in(file, std::ios::binary);
    const std::string there{std::istreambuf_iterator<char>(in), {}};
    return in.good() && there == bytes;
}

}  // namespace

std::string state_folder(const std::string& store) {
    const char* const named = std::getenv("STATE_DIRECTORY");
    const std::string folders = named ? named : "";
    return folders.empty() ? store : folders.substr(0, folders.find(':'));
}

bool LastGood::is_whole(const std::string& hash, const std::string& main_file,
                        const std::map<std::string, std::string>& files) const {
    return std::all_of(files.begin(), files.end(), [&](const auto& file) {
        const auto copy = kept_at(fs::path(folder_) / hash, file.first, main_file);
        return !copy || holds(*copy, file.second);
    });
}

std::string LastGood::current(const std::string& main_file) const {
    std::ifstream in(pointer());
    std::string hash;
    std::string of;
    std::getline(in, hash);
    std::getline(in, of);
    const bool ours = of == whole_path(main_file).string() && hash.find('/') == std::string::npos;
    return ours ? hash : "";
}

Result<void> LastGood::keep(const std::string& main_file,
                            const std::map<std::string, std::string>& files) const {
    const std::string hash = hash_of(files);
    const fs::path place = fs::path(folder_) / hash;
    std::error_code error;
    if (current(main_file) == hash && is_whole(hash, main_file, files)) return {};
    fs::remove_all(place, error);
    for (const auto& [path, bytes] : files) {
        const std::optional<fs::path> copy = kept_at(place, path, main_file);
        if (!copy) continue;
        fs::create_directories(copy->parent_path(), error);
        if (error) return failed(copy->parent_path(), error);
        const Result<void> written = storage::write_whole_file(copy->string(), bytes);
        if (!written) return written;
    }
    const Result<void> pointed =
        storage::write_whole_file(pointer(), hash + '\n' + whole_path(main_file).string() + '\n');
    if (!pointed) return pointed;
    for (const fs::directory_entry& other : fs::directory_iterator(folder_, error))
        if (other.is_directory() && other.path() != place) fs::remove_all(other.path(), error);
    return {};
}

std::optional<LoadedConfig> LastGood::load(const std::string& main_file) const {
    const std::string hash = current(main_file);
    if (hash.empty()) return std::nullopt;
    LoadedConfig loaded = load_kept_config(main_file, folder_ + '/' + hash);
    if (!loaded.config || !has_a_road(loaded.config->platform)) return std::nullopt;
    return loaded;
}

}  // namespace fieldgate
