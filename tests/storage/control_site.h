#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/control_store.h"
#include "storage/database.h"
#include "tests/storage/loop.h"

namespace fieldgate::storage {

/// A control store and its loop.
class ControlSite : public Loop {
public:
    using State = Ledger::Entry::State;

    explicit ControlSite(std::string path) : folder(std::move(path)) { open(); }
    ~ControlSite() {
        if (store) close();
    }

    void open() {
        store = std::make_unique<ControlStore>(loop.get_executor(), folder, 5ms);
        store->open();
        run(store->opened());
    }
    void close() {
        run(store->close());
        store.reset();
    }
    void restart() {
        close();
        open();
    }

    Result<Ledger::Entry> begin(const std::string& id, const std::string& digest = "d") {
        return run(store->ledger().begin(id, digest));
    }
    Result<void> finish(const std::string& id, const std::string& answer) {
        return run(store->ledger().finish(id, answer));
    }
    bool execute(const std::string& id) {
        const auto entry = begin(id);
        return entry && entry->state == State::fresh && finish(id, "answer of " + id);
    }

    void append(const std::string& what, const std::string& detail = "{}") {
        AuditEntry entry;
        entry.what = what;
        entry.target = "meter-1";
        entry.detail = detail;
        entry.result = "done";
        entry.at = Utc(std::chrono::milliseconds(1'700'000'000'000 + ++appended));
        entry.proven = true;
        store->audit().append(std::move(entry));
    }
    /// All rows that are on disk.
    std::vector<AuditRow> rows() {
        std::vector<AuditRow> all;
        for (;;) {
            const std::uint64_t from = all.empty() ? 0 : all.back().seq + 1;
            const auto page = run(store->audit().read(from, 1000));
            if (!page || page->empty()) return all;
            all.insert(all.end(), page->begin(), page->end());
        }
    }
    bool written(std::size_t count) {
        return until([&] { return rows().size() == count; });
    }
    ChainCheck verify() { return *run(store->audit().verify()); }

    std::string folder;
    std::unique_ptr<ControlStore> store;
    std::int64_t appended = 0;
};

/// A store with 100 commands, 100 rows of audit and 50 devices, closed.
inline void fill_control(const std::string& folder) {
    ControlSite site(folder);
    for (int number = 1; number <= 100; ++number) {
        site.append("command", std::string(100, 'x'));
        ASSERT_TRUE(site.execute("command/" + std::to_string(number)));
    }
    std::vector<SubDevice> devices(50);
    for (std::size_t number = 0; number < devices.size(); ++number) {
        devices[number].device_id = "meter-" + std::to_string(number);
        devices[number].extension_info = "{\"modbus_unit\":" + std::to_string(number) + "}";
    }
    ASSERT_TRUE(site.run(site.store->roster().apply_add(12, devices)));
}

/// Does to the file of a store that is closed what its owner never would.
inline void edit(const std::string& folder, const std::string& sql) {
    Database database;
    if (!database.open(folder + "/control.db", 100'000)) std::abort();
    if (!database.execute(sql.c_str())) std::abort();
}

}  // namespace fieldgate::storage
