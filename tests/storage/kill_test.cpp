// Processes that are killed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include "tests/storage/site.h"

namespace fieldgate::storage {
namespace {

bool campaign() { return std::getenv("FIELDGATE_CAMPAIGN") != nullptr; }

/// What the child says before it dies, in fixed-size lines.
struct Word {
    char
        kind;  // D: all up to `number` are on disk; A: `number` was acknowledged; C: so far on disk
    std::int64_t number;
};

[[noreturn]] void live_until_killed(const std::string& folder, int pipe, std::int64_t number) {
    const auto say = [&](char kind, std::int64_t what) {
        const Word word{kind, what};
        if (::write(pipe, &word, sizeof word) != sizeof word) ::_exit(1);
    };
    auto* site = new Site(folder);  // never destroyed
    site->settings.commit = 5ms;
    if (!site->open()) ::_exit(2);
    site->outbox->mark_backlog();
    for (;;) {
        site->append(number + 1, number + 40);
        number += 40;
        site->flush();
        say('D', number);
        say('C', 0);
        const Site::Taken taken = site->take(30);
        site->outbox->remove(taken.lease);
        for (const std::int64_t acknowledged : taken.numbers()) say('A', acknowledged);
    }
}

TEST(Kill, LosesNothingThatWasOnDiskAndResendsNothingWhoseRemovalWas) {
    TempFolder folder;
    std::mt19937 random(6);
    std::set<std::int64_t> pending;    // on disk and never acknowledged
    std::set<std::int64_t> uncertain;  // acknowledged, removal not known to be on disk
    std::int64_t number = 0;
    std::int64_t commits = 0;
    const int kills = campaign() ? 200 : 20;
    for (int kill = 0; kill < kills; ++kill) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) live_until_killed(folder.path(), ends[1], number);
        ::close(ends[1]);
        // Its time runs from its first commit: on a slow machine a life without one proves nothing.
        Word word{};
        ASSERT_EQ(::read(ends[0], &word, sizeof word), static_cast<ssize_t>(sizeof word))
            << "the child ended by itself";
        ASSERT_EQ(word.kind, 'D');
        ::usleep(static_cast<useconds_t>(random() % 120'000));
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
        std::int64_t durable = number;
        do {
            if (word.kind == 'D') {
                for (std::int64_t next = durable + 1; next <= word.number; ++next)
                    pending.insert(next);
                durable = word.number;
            } else if (word.kind == 'A') {
                pending.erase(word.number);
                uncertain.insert(word.number);
            } else {
                uncertain.clear();
            }
        } while (::read(ends[0], &word, sizeof word) == sizeof word);
        ::close(ends[0]);
        commits += (durable - number) / 40;

        TempFolder copy;
        copy_store(folder.path(), copy.path());
        Site site(copy.path());
        ASSERT_TRUE(site.open());
        ASSERT_FALSE(fs::exists(copy.path() + "/outbox.bad-1"));
        std::set<std::int64_t> seen;
        std::int64_t before = 0;
        for (const Record& one : site.take_everything()) {
            const std::int64_t next = number_of(one);
            ASSERT_LT(before, next) << "in order";
            before = next;
            seen.insert(next);
        }
        for (const std::int64_t kept : pending) ASSERT_TRUE(seen.contains(kept)) << kept;
        for (const std::int64_t back : seen) {
            // Beyond what it said are the forty of the commit under way.
            ASSERT_TRUE(pending.contains(back) || uncertain.contains(back) || back > durable);
        }
        ASSERT_TRUE(site.balanced());
        pending = seen;
        uncertain.clear();
        number = std::max(durable, seen.empty() ? 0 : *seen.rbegin()) + 1000;
    }
    std::cout << kills << " kills, " << commits << " commits\n";
    EXPECT_GE(commits, kills);
}

}  // namespace
}  // namespace fieldgate::storage
