#pragma once
#include <string>

#include "base/result.h"
#include "daemon/config/disk.h"
#include "model/product_model.h"

namespace fieldgate::config {

struct ModelFiles {
    ProductModel model;
    std::string bytes;  ///< What was read, for the configuration's hash.
};

/// Reads a product model: the console's export as a folder or a ZIP, whose files are found by name
/// wherever they lie (protocol reference 10.2), or one file with the product API's JSON. Reads at
/// most 1,000 entries and 4 MB expanded. Errors: io, out_of_range, bad_data.
Result<ModelFiles> read_product_model(const std::string& path, const Disk& disk);

}  // namespace fieldgate::config
