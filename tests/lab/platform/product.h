#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace fieldgate::lab {

/// What a product model allows in reports (protocol reference 10.2, 10.3). Read here anew, so that
/// the judge does not believe the gateway's reader.
class Product {
public:
    /// The console's export, a folder. Errors: bad_data, with the file.
    static Result<Product> read(const std::filesystem::path& folder);

    /// Why the platform would not take `value` for this; empty: it would.
    std::string fault(const std::string& service, const std::string& property,
                      const json::Value& value) const;

private:
    struct Rule {
        std::string type;  ///< In lower case.
        std::optional<double> min;
        std::optional<double> max;
        std::size_t max_length = 0;
        std::vector<std::string> words;
    };
    using Rules = std::map<std::string, Rule>;

    static Rule rule_from(const json::Value& property);
    static std::string fault_of(const Rule& rule, const json::Value& value);

    std::map<std::string, Rules> services_;
};

}  // namespace fieldgate::lab
