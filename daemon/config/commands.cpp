#include "daemon/config/commands.h"

#include <algorithm>

#include "daemon/config/words.h"
#include "daemon/config/write.h"

namespace fieldgate::config {
namespace {

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& list) {
    std::vector<std::string> names;
    for (const auto& item : list) names.push_back(item.name);
    return names;
}

class CommandReader {
public:
    CommandReader(const Place& place, const TemplatePoints& points, const CommandModel* model,
                  Loading& loading)
        : fields_(place, loading.report, Keys::command),
          points_(points),
          model_(model),
          report_(loading.report) {}

    CommandRule read(const std::string& service, const std::string& command) {
        rule_.service = service;
        rule_.command = command;
        read_set();
        read_from();
        if (const auto values = fields_.get("values")) {
            read_values(*values);
        } else if (point_ != nullptr && parameter_ != nullptr) {
            check_parameter();
        }
        if (model_ != nullptr && !model_->responses.empty())
            read_response(model_->responses.front());
        return std::move(rule_);
    }

private:
    // Its parameters are those of the model, all that somebody here can fill.
    void read_response(const ResponseModel& response) {
        rule_.response = response.name;
        for (const FieldModel& para : response.paras) {
            if (para.name == "result" && is_text(para.type))
                rule_.response_has_result = true;
            else if (para.name == rule_.parameter || para.name == rule_.property)
                rule_.response_echoes.push_back({para, para.name == rule_.parameter});
            else
                report_.warning(fields_.place(),
                                "nobody knows what \"" + para.name + "\" of the response " +
                                    response.name + " is to say",
                                "it can be result (a text), or named as the property or the "
                                "command's parameter");
        }
    }

    static bool is_text(DataType type) {
        return type == DataType::string || type == DataType::enumeration;
    }

    void read_set() {
        const auto place = fields_.require("set", "add set: the property that the command writes");
        const auto name = place ? read_text(*place, report_) : std::nullopt;
        if (!name) return;
        rule_.property = *name;
        point_ = points_.find(rule_.service, *name);
        if (point_ != nullptr && !point_->point.write) {
            report_.error(*place, "the property \"" + *name + "\" cannot be written",
                          "give its point a write:");
            point_ = nullptr;
        } else if (point_ != nullptr && !point_->point.write->from.cloud) {
            report_.error(*place, "the cloud may not write the property \"" + *name + '"',
                          "add cloud to write.from of its point, or remove the command");
            point_ = nullptr;
        } else if (!points_.knows(rule_.service, *name)) {
            std::vector<std::string> names;
            for (const auto& [service, property] : points_.names) {
                if (service == rule_.service) names.push_back(property);
            }
            report_.error(*place, "the service has no property \"" + *name + '"',
                          did_you_mean(*name, names));
        }
    }

    void read_from() {
        const auto place = fields_.require("from", "add from: the command's parameter");
        const auto name = place ? read_text(*place, report_) : std::nullopt;
        if (!name) return;
        rule_.parameter = *name;
        if (model_ == nullptr) return;
        const auto found = std::find_if(model_->paras.begin(), model_->paras.end(),
                                        [&](const FieldModel& para) { return para.name == *name; });
        if (found != model_->paras.end()) {
            parameter_ = &*found;
            return;
        }
        report_.error(*place, "the command has no parameter \"" + *name + "\" in the product model",
                      did_you_mean(*name, names_of(model_->paras)));
    }

    void read_values(const Place& place) {
        if (!place.is(Node::Kind::map) || place.node->keys.empty()) {
            report_.error(place, "no map of values", "write { ON: true, OFF: false }");
            return;
        }
        for (std::size_t i = 0; i < place.node->keys.size(); ++i) {
            const Node& key = place.node->keys[i];
            const Place value_place = place.at(key.text, place.node->items[i]);
            check_word(value_place.pointing_at(key), key.text);
            if (point_ == nullptr) continue;
            if (auto value = read_writable(value_place, *point_, report_))
                rule_.values.emplace_back(key.text, std::move(*value));
        }
        if (parameter_ == nullptr) return;
        for (const std::string& word : parameter_->enum_list) {
            if (place.node->find(word) != nullptr) continue;
            report_.warning(place, '"' + word + "\" is not listed",
                            "the command will be refused with this value; add it");
        }
    }

    // A value of the parameter that is to be translated.
    void check_word(const Place& place, const std::string& word) {
        if (parameter_ == nullptr) return;
        const bool number = parameter_->type == DataType::integer ||
                            parameter_->type == DataType::long_integer ||
                            parameter_->type == DataType::decimal;
        const bool boolean = parameter_->type == DataType::boolean;
        if (number && !looks_decimal(word)) {
            report_.error(place, '"' + word + "\" is no value of the parameter",
                          "the product model wants a number");
        } else if (boolean && word != "true" && word != "false") {
            report_.error(place, '"' + word + "\" is no value of the parameter",
                          "the product model wants true or false");
        } else if (!parameter_->enum_list.empty() &&
                   std::find(parameter_->enum_list.begin(), parameter_->enum_list.end(), word) ==
                       parameter_->enum_list.end()) {
            report_.error(place, '"' + word + "\" is no value of the parameter",
                          did_you_mean(word, parameter_->enum_list));
        }
    }

    // Without `values` the parameter is written as it is.
    void check_parameter() {
        const bool text = is_text(parameter_->type);
        const bool boolean = parameter_->type == DataType::boolean;
        const auto& field = point_->field;
        const bool words = !field.values.empty() || field.type == RawType::string;
        const bool fits = words ? text : is_boolean(field) ? boolean : !text && !boolean;
        if (fits) return;
        report_.error(*fields_.get("from"),
                      std::string("a parameter of type ") + fieldgate::to_string(parameter_->type) +
                          " cannot be written to this point",
                      "translate it: values: { ON: true, OFF: false }");
    }

    Fields fields_;
    const TemplatePoints& points_;
    const CommandModel* model_;
    Report& report_;
    CommandRule rule_;
    const ReadPoint* point_ = nullptr;
    const FieldModel* parameter_ = nullptr;
};

}  // namespace

const ReadPoint* TemplatePoints::find(std::string_view service, std::string_view property) const {
    const auto found = std::find_if(points.begin(), points.end(), [&](const ReadPoint& read) {
        return read.point.service == service && read.point.property == property;
    });
    return found == points.end() ? nullptr : &*found;
}

bool TemplatePoints::knows(std::string_view service, std::string_view property) const {
    return std::any_of(names.begin(), names.end(), [&](const auto& name) {
        return name.first == service && name.second == property;
    });
}

std::vector<CommandRule> read_commands(const Place& place, const TemplatePoints& points,
                                       const ProductModel* model, Loading& loading) {
    std::vector<CommandRule> rules;
    Report& report = loading.report;
    if (!place.is(Node::Kind::map)) {
        report.error(place, "no map of commands", "write SERVICE: { COMMAND: { set: ... } }");
        return rules;
    }
    for (std::size_t i = 0; i < place.node->keys.size(); ++i) {
        const Node& service = place.node->keys[i];
        const Place commands = place.at(service.text, place.node->items[i]);
        const ServiceModel* known = model != nullptr ? model->service(service.text) : nullptr;
        if (model != nullptr && known == nullptr) {
            report.error(commands.pointing_at(service),
                         "the product model has no service \"" + service.text + '"',
                         "correct the name, or the model");
        }
        if (!commands.is(Node::Kind::map)) {
            report.error(commands, "no map of commands", "write COMMAND: { set: ..., from: ... }");
            continue;
        }
        for (std::size_t j = 0; j < commands.node->keys.size(); ++j) {
            const Node& name = commands.node->keys[j];
            const Place command = commands.at(name.text, commands.node->items[j]);
            const CommandModel* meant = known != nullptr ? known->command(name.text) : nullptr;
            if (known != nullptr && meant == nullptr) {
                report.error(command.pointing_at(name),
                             "the product model has no command \"" + name.text + '"',
                             did_you_mean(name.text, names_of(known->commands)));
            }
            rules.push_back(
                CommandReader(command, points, meant, loading).read(service.text, name.text));
        }
    }
    return rules;
}

}  // namespace fieldgate::config
