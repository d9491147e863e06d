#include "tests/lab/platform/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace fieldgate::lab {
namespace {

struct Head {
    std::uint32_t magic = 0x464a524e;
    char kind = 0;
    std::array<char, 3> unused{};
    std::int64_t at = 0;
    std::uint64_t session = 0;
    std::array<std::uint32_t, 4> sizes{};
};

}  // namespace

JournalWriter::JournalWriter(const std::filesystem::path& file)
    : descriptor_(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

JournalWriter::~JournalWriter() { close(descriptor_); }

void JournalWriter::append(const Entry& entry) const {
    Head head;
    head.kind = static_cast<char>(entry.kind);
    head.at = entry.at;
    head.session = entry.session;
    const std::array<const std::string*, 4> texts{&entry.client_id, &entry.device, &entry.topic,
                                                  &entry.text};
    for (std::size_t i = 0; i < texts.size(); ++i)
        head.sizes.at(i) = static_cast<std::uint32_t>(texts.at(i)->size());
    std::string frame(sizeof head, '\0');
    std::memcpy(frame.data(), &head, sizeof head);
    for (const std::string* text : texts) frame += *text;
    // A journal with a hole would acquit the guilty.
    if (write(descriptor_, frame.data(), frame.size()) != static_cast<ssize_t>(frame.size()))
        std::abort();
}

JournalReader::JournalReader(const std::filesystem::path& file)
    : descriptor_(open(file.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600)) {}

JournalReader::~JournalReader() { close(descriptor_); }

bool JournalReader::fill() {
    buffer_.erase(0, read_);
    read_ = 0;
    std::array<char, 65536> bytes{};
    const ssize_t count = read(descriptor_, bytes.data(), bytes.size());
    if (count <= 0) return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
}

std::optional<Entry> JournalReader::next() {
    Head head;
    while (buffer_.size() - read_ < sizeof head)
        if (!fill()) return std::nullopt;
    std::memcpy(&head, buffer_.data() + read_, sizeof head);
    if (head.magic != Head().magic) std::abort();
    std::size_t size = sizeof head;
    for (const std::uint32_t part : head.sizes) size += part;
    while (buffer_.size() - read_ < size)
        if (!fill()) return std::nullopt;
    Entry entry;
    entry.kind = static_cast<Entry::Kind>(head.kind);
    entry.at = head.at;
    entry.session = head.session;
    std::size_t from = read_ + sizeof head;
    const std::array<std::string*, 4> texts{&entry.client_id, &entry.device, &entry.topic,
                                            &entry.text};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        texts.at(i)->assign(buffer_, from, head.sizes.at(i));
        from += head.sizes.at(i);
    }
    read_ += size;
    position_ += size;
    return entry;
}

}  // namespace fieldgate::lab
