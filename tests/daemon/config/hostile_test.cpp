// Files that were made to hurt: each is refused in less than a second, with its place.
#include <gtest/gtest.h>

#include <ctime>

#include "daemon/config/yaml.h"
#include "site.h"

namespace fieldgate {
namespace {

using test::Site;

struct Refusal {
    std::vector<Problem> problems;
    double seconds;  ///< Of processor time: other tests run beside this one.
};

Refusal refuse(const std::string& text) {
    const Site site;
    site.write("conf.d/99-hostile.yaml", text);
    const std::clock_t begin = std::clock();
    std::vector<Problem> problems = site.errors();
    return {std::move(problems), static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC};
}

void expect_refused(const std::string& text, int line, int column, const std::string& what) {
    const Refusal refusal = refuse(text);
    ASSERT_GE(refusal.problems.size(), 1U);
    const Problem& first = refusal.problems[0];
    EXPECT_EQ(first.file, "conf.d/99-hostile.yaml");
    EXPECT_EQ(first.line, line) << describe(first);
    EXPECT_EQ(first.column, column) << describe(first);
    EXPECT_TRUE(test::contains(first.what, what)) << describe(first);
    EXPECT_FALSE(first.hint.empty());
    EXPECT_LT(refusal.seconds, 1.0);
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

TEST(Hostile, AnAliasBombIsRefusedAtItsFirstAnchor) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string alias = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias +
                repeated(", " + alias, 8) + "]\n";
    }
    expect_refused(bomb, 1, 5, "anchor");
}

TEST(Hostile, AListThatHoldsItselfIsRefused) { expect_refused("a: &a [*a]\n", 1, 4, "anchor"); }

// What is printed goes to the journal.
TEST(Hostile, ASecretInTheWrongPlaceIsNeverPrinted) {
    for (const std::string wrong :
         {"secret: hunter2", "secrt: hunter2", "secret: \"hunter2", "secret hunter2",
          "secret: >\n      hunter2", "secret: [hunter2]", "secret: { hunter2: 1 }",
          "secret: &a hunter2", "secret: !x hunter2", "secret: cred:gateway\n    secret: hunter2",
          "password: hunter2", "hunter2", "- hunter2", "secret:hunter2", "Secret: hunter2",
          "secret: cred:hunter2/../x"}) {
        test::Site site;
        site.replace("fieldgate.yaml", "secret: cred:gateway", wrong);
        const LoadedConfig loaded = site.load();
        EXPECT_FALSE(loaded.config) << wrong;
        std::string json;
        append_problems_json(json, loaded.problems);
        const bool reference = wrong.find("cred:hunter2") != std::string::npos;
        EXPECT_EQ(test::contains(test::all(loaded.problems) + json, "hunter2"), reference)
            << wrong << '\n'
            << test::all(loaded.problems);
    }
    test::Site site;
    site.replace("fieldgate.yaml", "mqtts://", "mqtts://user:hunter2@");
    EXPECT_FALSE(site.load().config);
    EXPECT_FALSE(test::contains(test::all(site.load().problems), "hunter2"))
        << test::all(site.load().problems);
}

TEST(Hostile, ALargeFileIsNotRead) {
    expect_refused(repeated("# comment\n", 1'000'000), 1, 1, "larger than");
}

TEST(Hostile, BlockNestingIsRefusedWhereItIsTooDeep) {
    std::string deep;
    for (std::size_t i = 0; i < 501; ++i) deep += std::string(i, ' ') + "a:\n";
    expect_refused(deep, 65, 65, "nested too deep");
}

TEST(Hostile, FlowNestingIsRefusedWhereItIsTooDeep) {
    expect_refused("a: " + std::string(501, '[') + std::string(501, ']'), 1, 68, "nested too deep");
    expect_refused(std::string(900'000, '['), 1, 65, "nested too deep");
    expect_refused(repeated("{a: ", 200'000), 1, 257, "nested too deep");
    expect_refused(repeated("- ", 400'000), 1, 129, "nested too deep");
}

TEST(Hostile, MoreThanThirtyTwoLevelsAreRefused) {
    std::string deep;
    for (std::size_t i = 0; i < 40; ++i) deep += std::string(i, ' ') + "a:\n";
    expect_refused(deep, 33, 33, "nested deeper than 32");
}

TEST(Hostile, DeepNestingBehindAHiddenQuoteDoesNotOverflowTheStack) {
    // The scan before the parser takes the apostrophe for a quote of its own.
    const Refusal refusal = refuse("a: b\n  'c\nd: " + std::string(500'000, '['));
    ASSERT_FALSE(refusal.problems.empty());
    EXPECT_LT(refusal.seconds, 1.0);
}

TEST(Hostile, TwoDocumentsAreRefused) {
    expect_refused("buses: {}\n---\ndevices: []\n", 2, 1, "second document");
}

TEST(Hostile, MoreValuesThanASiteCanHaveAreRefused) {
    expect_refused("devices: [a" + repeated(",a", 400'000) + "]", 1, 200'009, "100,000");
}

TEST(Hostile, ThousandsOfProblemsAreCountedAndNotAllShown) {
    std::string keys;
    for (int i = 0; i < 20'000; ++i) keys += "key" + std::to_string(i) + ": 1\n";
    const Refusal refusal = refuse(keys);
    EXPECT_EQ(refusal.problems.size(), 1000U);
    EXPECT_TRUE(test::contains(refusal.problems.back().what, "more than 1,000"));
    EXPECT_LT(refusal.seconds, 1.0);
}

TEST(Hostile, AFileThatIsAPipeOrAFolderIsAProblem) {
    const Site site;
    site.write("conf.d/folder.yaml/x", "");
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].file, "conf.d/folder.yaml");
}

TEST(Hostile, AMissingMainFileIsAProblem) {
    const LoadedConfig loaded = load_config("/nowhere/fieldgate.yaml");
    ASSERT_FALSE(loaded.ok());
    ASSERT_EQ(loaded.problems.size(), 1U);
    EXPECT_EQ(loaded.problems[0].file, "/nowhere/fieldgate.yaml");
    EXPECT_TRUE(test::contains(loaded.problems[0].what, "No such file"));
}

TEST(Files, MayBeginWithAByteOrderMarkAndEndTheirLinesWithCrLf) {
    const Site site;
    std::string text = site.text("conf.d/10-site.yaml");
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
        text.insert(at, 1, '\r');
    site.write("conf.d/10-site.yaml", "\xEF\xBB\xBF" + text);
    EXPECT_TRUE(site.load().ok()) << test::all(site.errors());
    site.replace("conf.d/10-site.yaml", "bus: line1", "bus: line2");
    const std::vector<Problem> errors = site.errors();
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].line, 20);
    EXPECT_EQ(errors[0].column, 10);
    EXPECT_EQ(errors[0].line_text, "    bus: line2");
}

TEST(Files, AreReportedTogetherWithAllTheirMistakes) {
    const Site site;
    site.replace("fieldgate.yaml", "linger: 1s", "linger: soon");
    site.replace("fieldgate.yaml", "sub_devices: 100", "sub_devices: 1000");
    site.replace("fieldgate.yaml", "web: off", "web: of");
    site.replace("conf.d/10-site.yaml", "bus: plc7", "bus: plc8");
    site.replace("conf.d/10-site.yaml", "unit: 1..3", "unit: 0..3");
    site.replace("templates/power-meter.yaml", "at: holding:2,", "at: holdng:2,");
    site.replace("templates/power-meter.yaml", "type: u64", "type: u65");
    site.replace("templates/power-meter.yaml", "tariff: ", "tarif: ");
    site.write("conf.d/20-broken.yaml", "buses: [\n");
    const std::vector<Problem> errors = site.errors();
    std::vector<std::string> paths;
    for (const Problem& error : errors) paths.push_back(error.path);
    // By file and line. The bus may be in the file that cannot be read: nothing is said of it.
    const std::vector<std::string> expected{"devices[0].unit",
                                            "",
                                            "platform.linger",
                                            "platform.limits.sub_devices",
                                            "local.web",
                                            "services.Electrical.current.at",
                                            "services.Electrical.energy.type",
                                            "services.Electrical.tarif"};
    EXPECT_EQ(paths, expected) << test::all(errors);
}

TEST(Yaml, KeepsColumnsInCharacters) {
    const std::string text = "\"\xC3\xA9\": [b, \"\xE7\x94\xB5\", c]";
    const config::Lines lines(text);
    const config::ParsedYaml parsed = config::parse_yaml(text, lines);
    ASSERT_TRUE(parsed.faults.empty());
    const config::Node* list = parsed.root.find("\xC3\xA9");
    ASSERT_NE(list, nullptr);
    EXPECT_EQ(list->column, 6);
    EXPECT_EQ(list->items[1].column, 10);
    EXPECT_TRUE(list->items[1].quoted);
    EXPECT_EQ(list->items[2].column, 15);
    EXPECT_FALSE(list->items[2].quoted);
}

TEST(Yaml, TakesBracketsAndQuotesInsideOfPlainTextAsTheyAre) {
    const std::string text =
        "a: x[1\nb: it's \"so\"\nc: |\n  [ \"\n  {\nd: 'it''s'\ne: \"a\\\"b\" # [ \"\n";
    const config::Lines lines(text);
    const config::ParsedYaml parsed = config::parse_yaml(text, lines);
    ASSERT_TRUE(parsed.faults.empty()) << parsed.faults[0].what;
    EXPECT_EQ(parsed.root.find("a")->text, "x[1");
    EXPECT_EQ(parsed.root.find("b")->text, "it's \"so\"");
    EXPECT_EQ(parsed.root.find("c")->text, "[ \"\n{\n");
    EXPECT_EQ(parsed.root.find("d")->text, "it's");
    EXPECT_EQ(parsed.root.find("e")->text, "a\"b");
}

TEST(Hostile, MoreDevicesThanThereAreIndicesAreRefused) {
    std::string text = "buses:\n";
    for (int i = 0; i < 420; ++i)
        text += "  b" + std::to_string(i) + ": { protocol: modbus-tcp, tcp: 10.0.0.8:502 }\n";
    text += "devices:\n";
    for (int i = 0; i < 420; ++i)
        text += "  - { name: \"d" + std::to_string(i) + "-{unit}\", unit: 1..247, bus: b" +
                std::to_string(i) + ", template: power-meter, node_id: \"n" + std::to_string(i) +
                "-{unit}\" }\n";
    const Refusal refusal = refuse(text);
    ASSERT_EQ(refusal.problems.size(), 1U) << test::all(refusal.problems);
    EXPECT_EQ(refusal.problems[0].what, "more than 100000 devices");
    EXPECT_EQ(refusal.problems[0].line, 827);
}

}  // namespace
}  // namespace fieldgate
