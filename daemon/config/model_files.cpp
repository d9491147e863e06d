#include "daemon/config/model_files.h"

#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

namespace fieldgate::config {
namespace {

constexpr std::size_t entries_max = 1000;
constexpr std::size_t bytes_max = 4'000'000;

// The files of an export, as they are found.
struct Export {
    std::string device_type;
    std::vector<std::string> service_types;
    std::size_t device_types = 0;
    std::size_t bytes = 0;

    static bool wants(std::string_view name) {
        return name == "devicetype-capability.json" || name == "servicetype-capability.json";
    }
    void add(std::string_view name, std::string text) {
        bytes += text.size();
        if (name == "devicetype-capability.json") {
            ++device_types;
            device_type = std::move(text);
        } else {
            service_types.push_back(std::move(text));
        }
    }
};

Error too_large() { return {Errc::out_of_range, "more than 1,000 files or 4 MB"}; }

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

Result<ModelFiles> from_export(const Export& found) {
    if (found.device_types != 1) {
        return Error(Errc::bad_data, found.device_types == 0
                                         ? "no devicetype-capability.json in it"
                                         : "more than one devicetype-capability.json in it");
    }
    auto model = product_model_from_export(found.device_type, found.service_types);
    if (!model) return model.error();
    ModelFiles files{std::move(*model), found.device_type};
    for (const std::string& text : found.service_types) files.bytes += text;
    return files;
}

Result<ModelFiles> from_folder(const std::string& folder, const Disk& disk) {
    std::error_code error;
    std::vector<std::string> paths;
    std::size_t entries = 0;
    std::filesystem::recursive_directory_iterator at(disk.place_of(folder), error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
        if (++entries > entries_max) return too_large();
        if (Export::wants(at->path().filename().string())) paths.push_back(at->path().string());
    }
    if (error) return disk.failed(error.value());
    std::sort(paths.begin(), paths.end());
    Export found;
    for (const std::string& path : paths) {
        auto text = disk.read(path, bytes_max - found.bytes);
        if (!text) return text.error();
        found.add(last_part(path), std::move(*text));
    }
    return from_export(found);
}

struct CloseFile {
    void operator()(zip_file_t* file) const { (void)zip_fclose(file); }
};
struct CloseArchive {
    void operator()(zip_t* archive) const { zip_discard(archive); }
};

// One entry, expanded; never more than `most` bytes, whatever the archive says of its size.
Result<std::string> expand(zip_t* archive, zip_uint64_t index, std::size_t most) {
    const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(archive, index, 0));
    if (!file) return Error(Errc::bad_data, zip_strerror(archive));
    std::string text;
    char buffer[16384];
    zip_int64_t count = 0;
    while ((count = zip_fread(file.get(), buffer, sizeof buffer)) > 0) {
        text.append(buffer, static_cast<std::size_t>(count));
        if (text.size() > most) return too_large();
    }
    if (count < 0) return Error(Errc::bad_data, "a damaged ZIP file");
    return text;
}

Result<ModelFiles> from_zip(const std::string& bytes) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    if (source == nullptr) return Error(Errc::io, "out of memory");
    const std::unique_ptr<zip_t, CloseArchive> archive(
        zip_open_from_source(source, ZIP_RDONLY, &error));
    if (!archive) {
        zip_source_free(source);
        return Error(Errc::bad_data, "no readable ZIP file");
    }
    const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
    if (entries > static_cast<zip_int64_t>(entries_max)) return too_large();
    Export found;
    for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(entries); ++i) {
        const char* name = zip_get_name(archive.get(), i, 0);
        if (name == nullptr || !Export::wants(last_part(name))) continue;
        auto text = expand(archive.get(), i, bytes_max - found.bytes);
        if (!text) return text.error();
        found.add(last_part(name), std::move(*text));
    }
    return from_export(found);
}

}  // namespace

Result<ModelFiles> read_product_model(const std::string& path, const Disk& disk) {
    if (!disk.real()) return Error(Errc::io, "no such file");
    std::error_code error;
    const bool folder = std::filesystem::is_directory(disk.place_of(path), error);
    if (folder) return from_folder(path, disk);
    auto bytes = disk.read(path, bytes_max);
    if (!bytes) return bytes.error();
    if (bytes->starts_with("PK")) {
        auto files = from_zip(*bytes);
        if (files) files->bytes = std::move(*bytes);
        return files;
    }
    auto model = product_model_from_api(*bytes);
    if (!model) return model.error();
    return ModelFiles{std::move(*model), std::move(*bytes)};
}

}  // namespace fieldgate::config
