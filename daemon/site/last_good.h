#pragma once
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "daemon/config.h"

namespace fieldgate {

/// Where what is kept of a configuration lies: the state folder that systemd names, which is known
/// also where the main file is damaged and says no store.path any more; else `store`, that path.
std::string state_folder(const std::string& store);

/// The files of the last site that ran whole, kept in the state folder: a gateway whose
/// configuration does not load any more starts with them. Every file that the site names and that
/// lies in its folder, as it was; never a secret. Every call blocks.
///
/// `config/HASH/...` holds them, `config/last-good` says which, and of which main file: written
/// when the folder is complete, so that a crash at any point leaves the old one or the new one,
/// whole.
class LastGood {
public:
    /// `state`: state_folder().
    explicit LastGood(std::string state) : folder_(std::move(state) + "/config") {}

    /// Errors: io; then the one of before stays.
    Result<void> keep(const std::string& main_file,
                      const std::map<std::string, std::string>& files) const;
    /// nullopt: there is none that loads.
    std::optional<LoadedConfig> load(const std::string& main_file) const;

private:
    std::string pointer() const { return folder_ + "/last-good"; }
    bool is_whole(const std::string& hash, const std::string& main_file,
                  const std::map<std::string, std::string>& files) const;
    /// Its hash; "": none, or that of another main file.
    std::string current(const std::string& main_file) const;

    std::string folder_;
};

}  // namespace fieldgate
