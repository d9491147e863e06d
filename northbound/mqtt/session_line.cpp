#include "northbound/mqtt/session_line.h"

#include <MQTTAsync.h>

#include <algorithm>
#include <string_view>

#include "base/expect.h"
#include "base/tls_probe.h"
#include "base/tls_time.h"

namespace fieldgate::northbound::mqtt {
namespace {

constexpr int refused_subscription = 0x80;  // MQTT 3.1.1, 3.9.3

// Both wait for our own deadline first, so that it is we who name the failure.
constexpr std::chrono::seconds paho_waits_longer{5};

MQTTAsync_createOptions create_options() {
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.sendWhileDisconnected = 0;
    options.MQTTVersion = MQTTVERSION_3_1_1;  // else every attempt is made twice
    return options;
}

// With its last client gone, Paho stops its threads; starting and stopping them is where it races.
// This client never connects and is never destroyed.
bool keep_paho_awake() {
    MQTTAsync anchor = nullptr;
    MQTTAsync_createOptions options = create_options();
    return MQTTAsync_createWithOptions(&anchor, "tcp://127.0.0.1:1", "anchor",
                                       MQTTCLIENT_PERSISTENCE_NONE, nullptr,
                                       &options) == MQTTASYNC_SUCCESS;
}

std::string uri(const SessionSettings& settings) {
    const bool bare_v6 = settings.host.find(':') != std::string::npos && settings.host[0] != '[';
    std::string text = settings.tls ? "ssl://" : "tcp://";
    text += bare_v6 ? "[" + settings.host + "]" : settings.host;
    text += ":" + std::to_string(settings.port);
    return text;
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

MQTTAsync_SSLOptions tls_options(const SessionSettings& settings) {
    MQTTAsync_SSLOptions options = MQTTAsync_SSLOptions_initializer;
    expect(options.struct_version >= 2, "a Paho that can verify the host name");
    options.enableServerCertAuth = 1;
    options.verify = 1;                    // the host name
    options.disableDefaultTrustStore = 1;  // our CA file alone, not whomever the system trusts
    options.trustStore = settings.ca_file.c_str();
    options.keyStore = or_null(settings.certificate_file);
    options.privateKey = or_null(settings.key_file);
    options.enabledCipherSuites = tls_1_2_suites;  // Paho ignores its option sslVersion
    return options;
}

}  // namespace

// Paho calls them on its threads, holding its mutex: copy, free, post.
struct Line::Callbacks {
    static void connected(void* context, MQTTAsync_successData*) {
        static_cast<Line*>(context)->tell(News(News::Kind::connected));
    }

    static void connect_failed(void* context, MQTTAsync_failureData* data) {
        const std::string_view why = data && data->message ? data->message : "";
        News news(News::Kind::failed);
        news.code = data ? data->code : MQTTASYNC_FAILURE;
        if (why.starts_with("CONNACK") && news.code >= 1 && news.code <= 255)
            news.kind = News::Kind::refused;
        news.message.payload = why;
        static_cast<Line*>(context)->tell(std::move(news));
    }

    static void lost(void* context, char*) {
        static_cast<Line*>(context)->tell(News(News::Kind::lost));
    }

    static int arrived(void* context, char* topic, int topic_bytes, MQTTAsync_message* message) {
        News news(News::Kind::message);
        news.message.at = std::chrono::steady_clock::now();
        // topic_bytes is 0 unless there is a NUL inside the topic.
        news.message.topic = topic_bytes > 0
                                 ? std::string(topic, static_cast<std::size_t>(topic_bytes))
                                 : std::string(topic);
        const auto* line = static_cast<Line*>(context);
        if (message->payloadlen > 0 && !line->leaves_unread(news.message.topic))
            news.message.payload.assign(static_cast<const char*>(message->payload),
                                        static_cast<std::size_t>(message->payloadlen));
        MQTTAsync_freeMessage(&message);
        MQTTAsync_free(topic);
        news.bytes = news.message.cost();
        if (line->incoming_->take(news.bytes)) line->tell(std::move(news));
        return 1;
    }

    static void acknowledged(void* context, MQTTAsync_successData*) {
        const auto* slot = static_cast<SlotContext*>(context);
        slot->line->tell(News(News::Kind::acknowledged, slot->slot));
    }

    static void not_acknowledged(void* context, MQTTAsync_failureData*) {
        const auto* slot = static_cast<SlotContext*>(context);
        slot->line->tell(News(News::Kind::not_acknowledged, slot->slot));
    }

    static void subscribed(void* context, MQTTAsync_successData* data) {
        const auto* slot = static_cast<SlotContext*>(context);
        News news(News::Kind::subscribed, slot->slot);
        news.code = data->alt.qos;
        slot->line->tell(std::move(news));
    }

    static void not_subscribed(void* context, MQTTAsync_failureData* data) {
        const auto* slot = static_cast<SlotContext*>(context);
        const bool refused = data && data->code == refused_subscription;
        News news(refused ? News::Kind::subscribed : News::Kind::lost, slot->slot);
        news.code = refused_subscription;
        slot->line->tell(std::move(news));
    }

    static void closed(void* context, MQTTAsync_successData*) {
        static_cast<Line*>(context)->tell(News(News::Kind::closed));
    }

    static void not_closed(void* context, MQTTAsync_failureData*) { closed(context, nullptr); }
};

Line::Line(std::uint64_t number, const SessionSettings& settings, std::shared_ptr<Door> door,
           std::shared_ptr<Allowance> incoming, Hear hear)
    : number_(number),
      settings_(settings),
      door_(std::move(door)),
      incoming_(std::move(incoming)),
      hear_(std::move(hear)) {
    for (std::size_t i = 0; i < settings_.slots(); ++i)
        slots_.push_back({this, static_cast<int>(i)});
}

Line::~Line() { expect(client_ == nullptr, "a line to be destroyed on the worker"); }

void Line::tell(News news) const {
    news.line = number_;
    door_->post([hear = hear_, incoming = incoming_, news = std::move(news)] {
        incoming->give_back(news.bytes);
        hear(news);
    });
}

bool Line::leaves_unread(const std::string& topic) const {
    const std::vector<std::string>& all = settings_.unread;
    return std::find(all.begin(), all.end(), topic) != all.end();
}

void Line::open(const Login& login) {
    const int rc = start(login);
    if (rc == MQTTASYNC_SUCCESS) return;
    News news(News::Kind::failed);
    news.code = rc;
    const char* const text = MQTTAsync_strerror(rc);
    news.message.payload = text ? text : "Paho failure";
    tell(std::move(news));
}

int Line::start(const Login& login) {
    static const bool awake = keep_paho_awake();
    expect(awake, "a first Paho client");
    MQTTAsync_createOptions create = create_options();
    const int made =
        MQTTAsync_createWithOptions(&client_, uri(settings_).c_str(), login.client_id.c_str(),
                                    MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create);
    if (made != MQTTASYNC_SUCCESS) return made;
    MQTTAsync_setCallbacks(client_, this, &Callbacks::lost, &Callbacks::arrived, nullptr);

    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    MQTTAsync_SSLOptions tls = tls_options(settings_);
    options.cleansession = 1;
    options.automaticReconnect = 0;
    options.retryInterval = 0;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.keepAliveInterval = static_cast<int>(settings_.keep_alive.count());
    options.maxInflight = static_cast<int>(settings_.slots()) + 1;
    const auto deadline = std::chrono::ceil<std::chrono::seconds>(settings_.connect_deadline);
    options.connectTimeout = static_cast<int>((deadline + paho_waits_longer).count());
    options.username = login.username.c_str();
    options.password = or_null(login.password.reveal());
    if (settings_.tls) {
        options.ssl = &tls;
        judge_certificates_at(login.judged_at);
    }
    options.context = this;
    options.onSuccess = &Callbacks::connected;
    options.onFailure = &Callbacks::connect_failed;
    return MQTTAsync_connect(client_, &options);
}

void Line::send(int slot, const std::string& topic, const std::string& payload) {
    SlotContext& context = slots_.at(static_cast<std::size_t>(slot));
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = &context;
    response.onSuccess = &Callbacks::acknowledged;
    response.onFailure = &Callbacks::not_acknowledged;
    const int rc = MQTTAsync_send(client_, topic.c_str(), static_cast<int>(payload.size()),
                                  payload.data(), 1, 0, &response);
    if (rc != MQTTASYNC_SUCCESS) tell(News(News::Kind::not_acknowledged, slot));
}

// One by one: of a SUBACK for several filters Paho does not tell how many codes it has, and makes
// no list where there is but one.
void Line::subscribe(const std::vector<std::string>& filters) {
    filters_.clear();
    for (const std::string& filter : filters) {
        filters_.push_back({this, static_cast<int>(filters_.size())});
        MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
        response.context = &filters_.back();
        response.onSuccess = &Callbacks::subscribed;
        response.onFailure = &Callbacks::not_subscribed;
        const int rc = MQTTAsync_subscribe(client_, filter.c_str(), 1, &response);
        if (rc != MQTTASYNC_SUCCESS) return tell(News(News::Kind::lost));
    }
}

void Line::hang_up() {
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.timeout = 0;
    options.context = this;
    options.onSuccess = &Callbacks::closed;
    options.onFailure = &Callbacks::not_closed;
    const int rc = client_ ? MQTTAsync_disconnect(client_, &options) : MQTTASYNC_DISCONNECTED;
    if (rc != MQTTASYNC_SUCCESS) tell(News(News::Kind::closed));
}

void Line::destroy() {
    if (client_) MQTTAsync_destroy(&client_);
    client_ = nullptr;
}

}  // namespace fieldgate::northbound::mqtt
