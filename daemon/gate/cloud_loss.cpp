#include "daemon/gate/cloud_loss.h"

#include <algorithm>
#include <utility>

#include "southbound/modbus/encode.h"

namespace fieldgate {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Which words of which device on which wire. Other hardware may have the name now, or the same
// value mean another word.
std::string on_the_wire(const Config& config, const DeviceConfig& device, std::size_t point,
                        const Value& value) {
    namespace modbus = southbound::modbus;
    const modbus::Field& field = config.templates[device.device_template].registers->fields[point];
    std::string text = place_of(config.buses[device.bus]) + " unit " + std::to_string(device.unit) +
                       ' ' + to_string(field.table) + ':' + std::to_string(field.address);
    const Result<modbus::Image> image = encode(field, value);
    if (!image) return text;
    for (const std::uint16_t word : image->words) text += ' ' + std::to_string(word);
    return text;
}

}  // namespace

CloudLoss::CloudLoss(storage::Outage memory, Instant start)
    : done_before_(memory.done),
      lost_(start - memory.elapsed),
      noted_(std::move(memory)),
      noted_at_(start) {}

void CloudLoss::serve(const SitePtr& site) {
    site_ = site;
    Rules before = std::exchange(rules_, {});
    before.merge(gone_);
    const Config& config = site->config;
    for (std::size_t i = 0; i < config.devices.size(); ++i) {
        const DeviceConfig& device = config.devices[i];
        const std::vector<Point>& points = *config.templates[device.device_template].points;
        for (std::size_t j = 0; j < points.size(); ++j) {
            const std::optional<WriteRule>& write = points[j].write;
            if (!write || !write->on_cloud_loss || !write->from.loss) continue;
            // With what is written where: who has written another one has not written this one.
            const std::string point =
                device.device_id + '/' + points[j].service + '/' + points[j].property;
            const Value& value = write->on_cloud_loss->set;
            const std::string key =
                point + '=' + to_string(value) + " at " + on_the_wire(config, device, j, value);
            Rule rule = std::move(before[key]);
            before.erase(key);
            rule.point = point;
            rule.device = site->directory.at(i).index;
            rule.after = write->on_cloud_loss->after;
            rule.write = {static_cast<PointIndex>(j), value};
            if (done_before_.erase(key) > 0) rule.done = true;
            rules_.emplace(key, std::move(rule));
        }
    }
    keep_gone(std::move(before));
}

// Where another value is to be written now, the one of before is not what the device will hold.
void CloudLoss::keep_gone(Rules gone) {
    std::set<std::string> ruled;
    for (const auto& [key, rule] : rules_) ruled.insert(rule.point);
    gone_ = std::move(gone);
    std::erase_if(gone_, [&](const auto& each) {
        const Rule& rule = each.second;
        return (!rule.done && rule.under_way == 0) || ruled.contains(rule.point);
    });
    std::erase_if(done_before_, [&](const std::string& key) {
        return std::any_of(ruled.begin(), ruled.end(),
                           [&](const std::string& point) { return key.starts_with(point + '='); });
    });
}

CloudLoss::Rule* CloudLoss::find(const Order& order) {
    for (Rules* rules : {&rules_, &gone_}) {
        const auto found = rules->find(order.id);
        if (found == rules->end()) continue;
        const bool now = std::to_string(found->second.under_way) == order.digest;
        return now ? &found->second : nullptr;  // nullptr: of an outage that is over
    }
    return nullptr;
}

void CloudLoss::look(bool open, Instant now) {
    if (!open) {
        if (!lost_) lost_ = now;
        return;
    }
    if (!lost_) return;
    lost_.reset();
    done_before_.clear();
    gone_.clear();
    for (auto& [key, rule] : rules_) {
        rule.done = false;
        rule.under_way = 0;  // what becomes of it is of no use to the next outage
        rule.again = Instant();
        rule.pause = milliseconds(0);
    }
}

Order CloudLoss::order_of(const std::string& key, const Rule& rule, Instant now) const {
    Order order;
    order.origin = Order::Origin::cloud_loss;
    order.id = key;
    order.digest = std::to_string(rule.under_way);
    order.site = site_;
    order.device = rule.device;
    order.received = now;
    order.writes.push_back(rule.write);
    const Point& point = (*order.device_template().points)[rule.write.point];
    order.asked.who = storage::AuditEntry::Who::local;
    order.asked.what = "on_cloud_loss";
    order.asked.target = site_->directory.config_of(rule.device)->device_id;
    order.asked.detail = point.service + "." + point.property + " = " + to_string(rule.write.value);
    return order;
}

std::vector<Order> CloudLoss::due(Instant now) {
    std::vector<Order> due;
    if (!lost_) return due;
    for (auto& [key, rule] : rules_) {
        const bool owed = !rule.done && rule.under_way == 0 && now - *lost_ >= rule.after;
        if (!owed || now < rule.again) continue;
        rule.under_way = ++orders_;
        due.push_back(order_of(key, rule, now));
    }
    return due;
}

bool CloudLoss::settled(const Order& order, bool sent, bool suspended, Instant now) {
    Rule* const found = find(order);
    if (!found) return sent;
    Rule& rule = *found;
    rule.under_way = 0;
    rule.done = sent;
    const milliseconds longest = suspended ? again_suspended : again_longest;
    const bool first = rule.pause == milliseconds(0);
    rule.pause = std::clamp<milliseconds>(2 * rule.pause, again_first, longest);
    rule.again = now + rule.pause;
    return sent || first;
}

void CloudLoss::not_taken(const Order& order, Instant now) {
    Rule* const found = find(order);
    if (!found) return;
    found->under_way = 0;
    found->again = now + again_first;
}

void CloudLoss::online(DeviceIndex device) {
    for (auto& [key, rule] : rules_) {
        if (rule.device != device) continue;
        rule.again = Instant();
        rule.pause = milliseconds(0);
    }
}

Instant CloudLoss::next(Instant now) const {
    Instant next = Instant::max();
    if (!lost_) return next;
    for (const auto& [key, rule] : rules_)
        if (!rule.done && rule.under_way == 0)
            next = std::min(next, std::max(rule.again, *lost_ + rule.after));
    return std::max(next, now);
}

std::optional<storage::Outage> CloudLoss::to_note(Instant now, bool last) {
    storage::Outage memory;
    if (lost_ && !(rules_.empty() && gone_.empty() && done_before_.empty())) {
        memory.elapsed = std::chrono::floor<seconds>(now - *lost_);
        memory.done = done_before_;
        for (const Rules* rules : {&rules_, &gone_})
            for (const auto& [key, rule] : *rules)
                if (rule.done) memory.done.insert(key);
    }
    const bool news = memory.done != noted_.done || memory.elapsed < noted_.elapsed ||
                      (memory.elapsed > noted_.elapsed && (last || now - noted_at_ >= noted_every));
    if (!news) return std::nullopt;
    noted_ = memory;
    noted_at_ = now;
    return memory;
}

}  // namespace fieldgate
