#include "storage/whole_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "storage/first_page.h"
#include "storage/proven_time.h"
#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

/// No file of this process may grow beyond so many bytes: a disk that is full in the middle of a
/// write.
class Room {
public:
    explicit Room(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &limit_);
        rlimit tight = limit_;
        tight.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &tight);
    }
    ~Room() {
        ::setrlimit(RLIMIT_FSIZE, &limit_);
        std::signal(SIGXFSZ, before_);
    }
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

private:
    rlimit limit_{};
    void (*before_)(int);
};

std::string content(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

class WholeFile : public testing::Test {
protected:
    std::string path(const std::string& name) const { return folder.path() + "/" + name; }
    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
    }

    TempFolder folder;
};

TEST_F(WholeFile, ReplacesWhatWasThere) {
    ASSERT_TRUE(write_whole_file(path("note"), "first"));
    ASSERT_TRUE(write_whole_file(path("note"), "2nd"));
    EXPECT_EQ(content(path("note")), "2nd");
    EXPECT_EQ(files(), 1U);
}

TEST_F(WholeFile, KeepsWhatWasThereWhereThereIsNoRoom) {
    ASSERT_TRUE(write_whole_file(path("note"), "before"));
    {
        const Room room(100);
        const Result<void> written = write_whole_file(path("note"), std::string(4096, 'x'));
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().code, Errc::io);
        EXPECT_EQ(written.error().what, path("note.part") + ": File too large");
    }
    EXPECT_EQ(content(path("note")), "before");
    EXPECT_EQ(files(), 1U);
}

TEST_F(WholeFile, NamesAFolderThatIsNotThere) {
    const Result<void> written = write_whole_file(path("none/note"), "x");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().what, path("none/note.part") + ": No such file or directory");
}

TEST_F(WholeFile, TheFirstPageThatCanBeLentOutlivesADiskWithoutRoom) {
    write(path("outbox.db"), std::string(8192, 'a'));
    ASSERT_TRUE(keep_first_page(path("outbox.db"), path("outbox.page-1")));
    const std::string kept = content(path("outbox.page-1"));
    write(path("outbox.db"), std::string(8192, 'b'));
    {
        const Room room(1000);
        EXPECT_FALSE(keep_first_page(path("outbox.db"), path("outbox.page-1")));
    }
    EXPECT_EQ(content(path("outbox.page-1")), kept);
}

TEST_F(WholeFile, TheProvenTimeOutlivesADiskWithoutRoom) {
    const Utc before(std::chrono::milliseconds(1'750'000'000'000));
    keep_proven_time(path("proven-time"), before);
    {
        const Room room(3);
        keep_proven_time(path("proven-time"), before + std::chrono::hours(2));
    }
    EXPECT_EQ(read_proven_time(path("proven-time")), before);
}

}  // namespace
}  // namespace fieldgate::storage
