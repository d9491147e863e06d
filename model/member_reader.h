#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/value.h"

namespace fieldgate {

/// One object of a product model's document, its place in it ("services[0].properties[3]"), and the
/// first thing found wrong anywhere: bad_data, "place.member: what".
///
/// A member is asked for in camelCase and found in snake_case as well; null counts as absent.
/// Reading goes on after an error, with empty values; who started it looks at the error once.
class MemberReader {
public:
    /// `object` and `error` must outlive the reader. A `where` that ends in a blank ("file: ") is
    /// no member to put a dot after.
    MemberReader(const json::Value& object, std::string where, std::optional<Error>& error);

    const json::Value* get(std::string_view camel) const;
    /// Empty if absent.
    std::string text(std::string_view key);
    std::string required_text(std::string_view key);
    /// False if absent.
    bool flag(std::string_view key);
    /// As a JSON number or as text; an empty text is absent.
    std::optional<Decimal> number(std::string_view key);
    /// A whole number not below 0; 0 if absent.
    std::size_t length(std::string_view key);
    /// An array of strings; empty if absent.
    std::vector<std::string> texts(std::string_view key);

    /// read(MemberReader&) for each element of an array of up to `max`; empty if absent.
    template <class Read>
    auto each(std::string_view key, std::size_t max, const Read& read) {
        std::vector<decltype(read(std::declval<MemberReader&>()))> found;
        const json::Value::Array* items = array(key, max);
        if (!items) return found;
        for (std::size_t i = 0; i < items->size() && !error_; ++i) {
            MemberReader item((*items)[i], element(key, i), error_);
            found.push_back(read(item));
        }
        return found;
    }

    void fail(std::string_view key, const std::string& what);

private:
    std::string path(std::string_view key) const;
    std::string element(std::string_view key, std::size_t i) const;
    std::string text_of(std::string_view key, const json::Value* member);
    const json::Value::Array* array(std::string_view key, std::size_t max);

    const json::Value& object_;
    std::string where_;
    std::optional<Error>& error_;
};

}  // namespace fieldgate
