// The files themselves: who may change them, and what cannot be read just now.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "site.h"

namespace fieldgate {
namespace {

using test::Site;

TEST(Files, AreRemarkedOnThatEverybodyCanChange) {
    const Site site;
    ASSERT_EQ(::chmod(site.path("conf.d/10-site.yaml").c_str(), 0666), 0);
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok());
    const Problem& warning = loaded.problems.front();
    EXPECT_EQ(warning.severity, Problem::Severity::warning);
    EXPECT_EQ(warning.file, "conf.d/10-site.yaml");
    EXPECT_TRUE(test::contains(warning.what, "everybody")) << warning.what;
    EXPECT_TRUE(test::contains(warning.hint, "chmod go-w " + site.path("conf.d/10-site.yaml")));
}

// Lets this process open no file more while it lives.
class NoMoreFiles {
public:
    NoMoreFiles() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(0);
        ::close(next);
        const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoMoreFiles(const NoMoreFiles&) = delete;
    NoMoreFiles& operator=(const NoMoreFiles&) = delete;

private:
    rlimit before_{};
};

TEST(Files, ThatCannotBeReadNowAreToldFromMistakes) {
    const Site site;
    EXPECT_EQ(exit_of(site.load()), Exit::well);
    {
        const NoMoreFiles now;
        EXPECT_EQ(exit_of(site.load()), Exit::failed);
    }
    site.replace("fieldgate.yaml", "schema: 1", "schema: 2");
    EXPECT_EQ(exit_of(site.load()), Exit::configuration);
    EXPECT_EQ(exit_of(load_config(site.path("not-there.yaml"))), Exit::configuration);
}

TEST(Files, ThatAreThereAndGiveAnErrorAreNoMistake) {
    const Site site;
    // Its first page is never mapped: read() says EIO.
    site.replace("fieldgate.yaml", "include: [", "include: [/proc/self/mem, ");
    EXPECT_EQ(exit_of(site.load()), Exit::failed) << test::all(site.load().problems);
}

}  // namespace
}  // namespace fieldgate
