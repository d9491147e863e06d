#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

/// How the broker's plugin tells what happened: a file that it appends to before the broker
/// answers. So what was acknowledged stands in it, even if broker or reader are killed the next
/// moment.
namespace fieldgate::lab {

struct Entry {
    enum class Kind : char {
        opened = 'O',  ///< The broker has started. All earlier sessions are gone.
        connected = 'C',
        closed = 'D',
        refused = 'R',    ///< A login (topic empty), a publish or a subscription; `text` says why.
        published = 'M',  ///< `text` is the payload.
    };
    Kind kind = Kind::opened;
    std::int64_t at = 0;        ///< When the broker had it, ms since 1970.
    std::uint64_t session = 0;  ///< One connection of one client.
    std::string client_id;
    std::string device;  ///< The user name.
    std::string topic;
    std::string text;

    bool operator==(const Entry&) const = default;
};

class JournalWriter {
public:
    explicit JournalWriter(const std::filesystem::path& file);
    ~JournalWriter();
    JournalWriter(const JournalWriter&) = delete;
    JournalWriter& operator=(const JournalWriter&) = delete;
    /// One write(2).
    void append(const Entry& entry) const;

private:
    int descriptor_;
};

/// Follows the file while it grows. One thread.
class JournalReader {
public:
    explicit JournalReader(const std::filesystem::path& file);
    ~JournalReader();
    JournalReader(const JournalReader&) = delete;
    JournalReader& operator=(const JournalReader&) = delete;
    /// nullopt: nothing new yet. Aborts on what no writer writes.
    std::optional<Entry> next();
    /// Bytes of the file that next() has given out.
    std::uint64_t position() const { return position_; }

private:
    bool fill();

    int descriptor_;
    std::string buffer_;
    std::size_t read_ = 0;
    std::uint64_t position_ = 0;
};

}  // namespace fieldgate::lab
