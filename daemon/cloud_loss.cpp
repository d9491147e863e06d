#include "daemon/cloud_loss.h"

#include <algorithm>

namespace fieldgate {

CloudLoss::CloudLoss(const Site& site, Instant start) : lost_(start) {
    const Config& config = site.config;
    for (std::size_t i = 0; i < config.devices.size(); ++i) {
        const std::vector<Point>& points =
            *config.templates[config.devices[i].device_template].points;
        for (std::size_t j = 0; j < points.size(); ++j) {
            if (!points[j].write || !points[j].write->on_cloud_loss) continue;
            if (!points[j].write->from.loss) continue;
            const WriteRule::CloudLoss& rule = *points[j].write->on_cloud_loss;
            writes_.push_back(
                {site.directory.at(i).index, rule.after, {static_cast<PointIndex>(j), rule.set}});
        }
    }
    std::stable_sort(writes_.begin(), writes_.end(),
                     [](const Write& a, const Write& b) { return a.after < b.after; });
}

void CloudLoss::look(bool open, Instant now) {
    if (open) {
        lost_.reset();
        done_ = 0;
    } else if (!lost_) {
        lost_ = now;
    }
}

std::vector<CloudLoss::Write> CloudLoss::due(Instant now) {
    std::vector<Write> due;
    while (lost_ && done_ < writes_.size() && now - *lost_ >= writes_[done_].after)
        due.push_back(writes_[done_++]);
    return due;
}

}  // namespace fieldgate
