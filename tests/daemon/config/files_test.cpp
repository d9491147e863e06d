// The files themselves: who may change them, and what cannot be read just now.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

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

TEST(Files, OfAFolderThatCannotBeReadAreNotTakenForNone) {
    const Site site;
    // Whoever is root may read every folder; not so one that leads in a circle.
    ASSERT_EQ(::symlink("circle", site.path("circle").c_str()), 0);
    site.replace("fieldgate.yaml", "include: [conf.d/*.yaml]", "include: [circle/*.yaml]");
    const std::vector<Problem> errors = site.errors();
    ASSERT_FALSE(errors.empty());
    EXPECT_EQ(errors[0].path, "include[0]");
    EXPECT_TRUE(test::contains(errors[0].what, "circle/*.yaml")) << errors[0].what;

    site.replace("fieldgate.yaml", "include: [circle/*.yaml]", "");
    std::filesystem::remove_all(site.path("conf.d"));
    ASSERT_EQ(::symlink("conf.d", site.path("conf.d").c_str()), 0);
    const std::vector<Problem> by_default = site.errors();
    ASSERT_FALSE(by_default.empty());
    EXPECT_EQ(by_default[0].file, "conf.d/*.yaml") << by_default[0].what;
}

TEST(Files, ArePointedOutToBeNone) {
    const Site site;
    site.replace("fieldgate.yaml", "include: [conf.d/*.yaml]",
                 "include: [conf.d/*.yaml, more/*.yaml]");
    const LoadedConfig loaded = site.load();
    ASSERT_TRUE(loaded.ok());
    EXPECT_TRUE(std::any_of(loaded.problems.begin(), loaded.problems.end(), [](const Problem& one) {
        return one.path == "include[1]" && one.severity == Problem::Severity::warning;
    })) << test::all(loaded.problems);
}

}  // namespace
}  // namespace fieldgate
