#pragma once
#include <string>

namespace fieldgate::storage {

/// The word to the next life that requests were refused whose refusal is in no database, since that
/// is not open or cannot be written: a file of its own, `control.unnoted`, which needs neither the
/// database nor room for data. Who starts and finds it takes what the ledger does not know for a
/// copy of one of them (Ledger::mark). On the worker: every call blocks.
class Unnoted {
public:
    explicit Unnoted(std::string folder) : folder_(std::move(folder)) {}

    /// Before anything else, and again as often as one likes: has an earlier life left one?
    void look();
    /// On disk when it returns true; false: the disk does not take even that.
    bool make();
    void remove();

    bool there() const { return ours_ || inherited_; }
    /// An earlier life has left it.
    bool inherited() const { return inherited_; }
    /// It is on disk, and speaks for this life too: what is refused may be told.
    bool holds() const { return holds_; }

private:
    std::string file() const { return folder_ + "/control.unnoted"; }

    std::string folder_;
    bool ours_ = false;
    bool inherited_ = false;
    bool holds_ = false;
};

}  // namespace fieldgate::storage
