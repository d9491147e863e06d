#include <algorithm>

#include "daemon/config/commands.h"
#include "daemon/config/loading.h"
#include "daemon/config/model_files.h"
#include "daemon/config/points.h"
#include "daemon/config/words.h"

namespace fieldgate::config {
namespace {

using southbound::modbus::RegisterMap;

class TemplateReader {
public:
    TemplateReader(const Place& place, Loading& loading)
        : fields_(place, loading.report, Keys::device_template),
          loading_(loading),
          report_(loading.report) {}

    void read() {
        const std::size_t errors = report_.errors();
        const auto name = read_name();
        const auto protocol = read_protocol();
        read_product();
        if (protocol) {
            out_.protocol = *protocol;
            read_defaults();
            if (const auto services =
                    fields_.require("services", "add services: SERVICE: PROPERTY: { at: ... }"))
                read_services(*services);
            if (const auto commands = fields_.get("commands")) read_commands_of(*commands);
        }
        if (!name) {
            loading_.templates_incomplete = true;
            return;
        }
        auto& index = loading_.templates[*name];
        if (report_.errors() > errors) return;
        finish();
        index = loading_.config.templates.size();
        loading_.config.templates.push_back(std::move(out_));
    }

private:
    bool self() const { return out_.protocol == Template::Protocol::self; }

    std::optional<std::string> read_name() {
        const auto place = fields_.require("template", "add template: the name of this template");
        auto name = place ? read_text(*place, report_) : std::nullopt;
        if (!name) return std::nullopt;
        out_.name = *name;
        const auto [seen, fresh] = loading_.template_places.emplace(*name, *place);
        if (fresh) return name;
        report_.error(*place, "the template \"" + *name + "\" stands twice",
                      "it stands first in " + where(seen->second) + "; rename one");
        return std::nullopt;
    }

    std::optional<Template::Protocol> read_protocol() {
        if (!fields_.require("protocol", "add protocol: modbus")) return std::nullopt;
        const std::size_t errors = report_.errors();
        Template::Protocol protocol = Template::Protocol::modbus;
        fields_.word<Template::Protocol>(
            "protocol", protocol,
            {{"modbus", Template::Protocol::modbus}, {"self", Template::Protocol::self}});
        if (report_.errors() > errors) return std::nullopt;
        out_.protocol = protocol;
        return protocol;
    }

    void read_product() {
        if (!self() || fields_.has("product_id")) {
            const auto place =
                fields_.require("product_id", "add product_id: as the product's page shows it");
            const auto id = place ? read_text(*place, report_) : std::nullopt;
            if (id && (!is_identifier(*id) || id->size() > 64)) {
                report_.error(*place, '"' + *id + "\" is no product id",
                              "1 to 64 letters, digits, _ and -");
            } else if (id) {
                out_.product_id = *id;
            }
        }
        const auto place = fields_.get("model");
        if (!place || !read_text(*place, report_) || !loading_.disk.real()) return;
        const std::string path = resolve(place->document->folder, raw_text(*place));
        auto files = read_product_model(path, loading_.disk);
        if (!files) {
            report_.error(*place, path + ": " + files.error().what,
                          "the console's export (folder or ZIP), or the product API's JSON; "
                          "relative to this file");
            return;
        }
        loading_.hashed.append(files->bytes).push_back('\0');
        out_.model = std::make_shared<const ProductModel>(std::move(files->model));
    }

    void misplaced(std::string_view key, const std::string& hint) {
        const Node* node = fields_.place().node->find(key);
        if (node != nullptr)
            report_.error(fields_.place().at(key, *node), "the key does not belong here", hint);
    }

    void read_defaults() {
        defaults_.map.max_registers = 125;
        if (self()) {
            misplaced("defaults", "protocol self has every: only; remove it");
            misplaced("commands", "the gateway's own template has no commands; remove it");
            fields_.duration("every", out_.every, every_min, every_max);
            return;
        }
        misplaced("every", "write it below defaults:");
        const auto place = fields_.get("defaults");
        if (!place) return;
        Fields fields(*place, report_, Keys::defaults);
        fields.duration("every", out_.every, every_min, every_max);
        if (const auto order = fields.get("order"))
            read_default_order(*order, defaults_.order, report_);
        fields.whole("address_base", defaults_.address_base, 0, 1);
        fields.whole("max_registers", defaults_.map.max_registers, 1, 125);
        if (const auto forbidden = fields.get("forbidden")) {
            for (const Place& item : read_list(*forbidden, report_)) {
                if (const auto range = read_range(item, defaults_.address_base, report_))
                    defaults_.map.forbidden.push_back(*range);
            }
        }
        fields.whole("min_registers", defaults_.map.min_registers, 1, 125);
        if (defaults_.map.min_registers > defaults_.map.max_registers)
            report_.error(*fields.get("min_registers"), "min_registers is more than max_registers",
                          "no request could be made; correct one of them");
        if (const auto gap = fields.get("gap")) read_gap(*gap);
        if (const auto rule = fields.get("report")) read_report(*rule, defaults_.report, report_);
    }

    void read_gap(const Place& place) {
        if (is_word(place, "auto")) return;
        defaults_.map.alone = is_word(place, "none");
        if (defaults_.map.alone) return;
        if (!parse_whole(raw_text(place))) {
            report_.error(place, '"' + raw_text(place) + "\" is no gap",
                          "write auto, none, or how many registers may be read along");
            return;
        }
        if (const auto value = read_whole(place, report_, 0, 124))
            defaults_.map.gap = static_cast<std::uint16_t>(*value);
    }

    void read_services(const Place& place) {
        if (!place.is(Node::Kind::map) || place.node->keys.empty()) {
            report_.error(place, "no map of services", "write SERVICE: PROPERTY: { at: ... }");
            return;
        }
        for (std::size_t i = 0; i < place.node->keys.size(); ++i) {
            const Node& key = place.node->keys[i];
            const Place service = place.at(key.text, place.node->items[i]);
            const ServiceModel* model = out_.model ? out_.model->service(key.text) : nullptr;
            if (out_.model && model == nullptr) {
                std::vector<std::string> names;
                for (const ServiceModel& known : out_.model->services) names.push_back(known.id);
                report_.error(service.pointing_at(key),
                              "the product model has no service \"" + key.text + '"',
                              did_you_mean(key.text, names));
            }
            if (key.text.empty() || key.text.size() > 64)
                report_.error(service.pointing_at(key), "no name of a service",
                              "1 to 64 characters");
            read_points(service, key.text, model);
        }
    }

    void read_points(const Place& service, const std::string& name, const ServiceModel* model) {
        if (!service.is(Node::Kind::map) || service.node->keys.empty()) {
            report_.error(service, "a service without properties", "write PROPERTY: { at: ... }");
            return;
        }
        for (std::size_t i = 0; i < service.node->keys.size(); ++i) {
            const Node& key = service.node->keys[i];
            const Place place = service.at(key.text, service.node->items[i]);
            points_.names.emplace_back(name, key.text);
            check_name(place.pointing_at(key));
            const PropertyModel* property = model != nullptr ? model->property(key.text) : nullptr;
            if (model != nullptr && property == nullptr) {
                std::vector<std::string> names;
                for (const PropertyModel& known : model->properties) names.push_back(known.name);
                report_.error(place.pointing_at(key),
                              "the product model has no property \"" + key.text + '"',
                              did_you_mean(key.text, names));
            }
            auto read = self() ? read_self_point(place, defaults_, loading_)
                               : read_modbus_point(place, defaults_, property, loading_);
            if (!read) continue;
            read->name = place.pointing_at(key);
            read->point.service = name;
            read->point.property = key.text;
            if (property != nullptr) {
                read->point.model = *property;
                if (self()) check_against_model(*read, *property, true, report_);
            }
            points_.points.push_back(std::move(*read));
        }
    }

    // The shadow cannot hold other names (protocol reference 10.1, 10.2).
    void check_name(const Place& place) {
        const std::string& name = raw_text(place);
        if (name.empty() || name.size() > 64 || name.find_first_of(".$") != std::string::npos)
            report_.error(place, '"' + name + "\" is no name of a property",
                          "1 to 64 characters, without . and $");
    }

    void read_commands_of(const Place& place) {
        if (self()) return;  // reported with the defaults
        out_.commands = read_commands(place, points_, out_.model.get(), loading_);
    }

    void finish() {
        std::vector<Point> points;
        RegisterMap map = defaults_.map;
        for (ReadPoint& read : points_.points) {
            points.push_back(std::move(read.point));
            if (self()) {
                out_.self_values.push_back(read.self);
            } else {
                map.fields.push_back(std::move(read.field));
            }
        }
        out_.points = std::make_shared<const std::vector<Point>>(std::move(points));
        if (!self()) out_.registers = std::make_shared<const RegisterMap>(std::move(map));
    }

    Fields fields_;
    Loading& loading_;
    Report& report_;
    Defaults defaults_;
    Template out_;
    TemplatePoints points_;
};

}  // namespace

void read_template(const Document& document, Loading& loading) {
    TemplateReader({&document, &document.root, {}}, loading).read();
}

void read_gateway(const Place& place, Loading& loading) {
    Fields fields(place, loading.report, Keys::gateway);
    const auto name_place = fields.require("template", "add template: one of protocol self");
    const auto name = name_place ? read_text(*name_place, loading.report) : std::nullopt;
    if (!name) return;
    const auto found = loading.templates.find(*name);
    if (found == loading.templates.end()) {
        std::vector<std::string> names;
        for (const auto& [other, index] : loading.templates) names.push_back(other);
        loading.report.error(*name_place, "there is no template \"" + *name + '"',
                             did_you_mean(*name, names));
        return;
    }
    if (!found->second) return;
    if (loading.config.templates[*found->second].protocol != Template::Protocol::self) {
        loading.report.error(*name_place, "the template is of a device, not of the gateway",
                             "name a template of protocol self");
        return;
    }
    loading.config.gateway_template = found->second;
}

}  // namespace fieldgate::config
