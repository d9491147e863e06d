#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fieldgate::config {

/// The files of a configuration. `Disk(false)` touches none of them: every file exists and is
/// empty, every pattern matches nothing (fuzzing).
class Disk {
public:
    /// What was read, by path, without secrets.
    using Files = std::map<std::string, std::string>;

    explicit Disk(bool real) : real_(real) {}
    /// What lies in `kept` stands for the same file in `folder`; all else is read where it is.
    Disk(std::string folder, std::string kept)
        : real_(true), folder_(std::move(folder)), kept_(std::move(kept)) {}
    bool real() const { return real_; }
    /// Where the file, or folder, really lies.
    std::string place_of(const std::string& path) const;
    const Files& files() const { return files_; }
    /// Something could not be read, or seen, for a reason that no file explains and that may pass:
    /// a bad sector, no more descriptors or memory, a mount that has not come yet. What the
    /// configuration lacks may be there.
    bool troubled() const { return troubled_; }
    /// An error that the system has given, noted.
    Error failed(int number) const;

    bool exists(const std::string& path) const;
    /// Errors: io (with the system's reason), out_of_range (larger than `bytes_max`; not read).
    Result<std::string> read(const std::string& path, std::size_t bytes_max) const;
    /// The same for a secret, which is not remembered.
    Result<std::string> read_secret(const std::string& path, std::size_t bytes_max) const;
    /// The files that a shell pattern, relative to `folder`, names; sorted. A folder that is not
    /// there has none. Errors: io: one that is there cannot be read, so nobody knows.
    Result<std::vector<std::string>> match(const std::string& folder,
                                           const std::string& pattern) const;
    /// Who may read or change the file beside its owner, root and us, for people: "mode 0640", "an
    /// access list (getfacl)". Empty: nobody, or there is no such file. With an access list the
    /// group's bits are its mask, and say nothing: systemd keeps credentials so.
    std::string others(const std::string& path) const;
    /// Somebody who is neither root nor the user that runs this may change the file: who; else
    /// empty. Root looks after files of others, so then only what everybody may counts.
    std::string changed_by(const std::string& path) const;

private:
    bool real_;
    std::string folder_, kept_;
    mutable Files files_;
    mutable bool troubled_ = false;
};

/// `path` as seen from `folder`, tidied up; an absolute path stays what it is.
std::string resolve(const std::string& folder, std::string_view path);
/// `path` as people call it who stand in `folder`; outside of it, the absolute path.
std::string seen_from(const std::string& folder, const std::string& path);
std::string folder_of(const std::string& path);
bool is_pattern(std::string_view path);

}  // namespace fieldgate::config
