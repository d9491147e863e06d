#pragma once
#include <vector>

#include "daemon/config/points.h"

namespace fieldgate::config {

/// The points of a template that were read, and the names of all that stand there.
struct TemplatePoints {
    std::vector<ReadPoint> points;
    std::vector<std::pair<std::string, std::string>> names;  ///< service, property

    const ReadPoint* find(std::string_view service, std::string_view property) const;
    bool knows(std::string_view service, std::string_view property) const;
};

/// `commands:` of a template; checked against `model`, if there is one.
std::vector<CommandRule> read_commands(const Place& place, const TemplatePoints& points,
                                       const ProductModel* model, Loading& loading);

}  // namespace fieldgate::config
