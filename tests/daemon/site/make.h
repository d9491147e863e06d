#pragma once
#include <utility>

#include "daemon/site/site.h"

namespace fieldgate::test {

/// The first site of a life.
inline SitePtr make(Config config) {
    DeviceTable table;
    return *make_site(std::move(config), table);
}

}  // namespace fieldgate::test
