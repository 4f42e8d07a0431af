#include "surface/api/rig.h"

#include <fmt/format.h>

#include <variant>

#include "crypto/token.h"
#include "surface/api/problem.h"

namespace grapnel::api {

ApiRig::ApiRig() {
  telemetry::LogOptions options;
  options.level = telemetry::Level::debug;
  journal_ = std::make_unique<telemetry::Log>(
      clock_, options, [this](std::string_view line) { log_lines_ += line; });
  ingest_ =
      std::make_unique<pipeline::Ingest>(pipeline::Ingest::Parts{.executor = loop_.get_executor(),
                                                                 .timers = timers_,
                                                                 .clock = store_.clock(),
                                                                 .ids = ids_,
                                                                 .registry = store_,
                                                                 .log = store_,
                                                                 .book = store_,
                                                                 .upkeep = store_,
                                                                 .adopter = adopter_,
                                                                 .digest = digest_,
                                                                 .pool = nullptr,
                                                                 .metrics = pipeline_metrics_,
                                                                 .random = random_,
                                                                 .wall = clock_,
                                                                 .box = box_,
                                                                 .log_lines = *journal_,
                                                                 .quarantine = quarantine_});
  use_auth({.mode = AuthMode::keys, .environment_key_hash = crypto::token_hash(admin_key_)});
}

ApiRig::~ApiRig() {
  if (handler_) doubles::run(loop_, handler_->stop());
  doubles::run(loop_, ingest_->stop(async::Deadline(timers_.now() + std::chrono::minutes{1})));
}

void ApiRig::use_auth(AuthOptions auth) {
  if (handler_) doubles::run(loop_, handler_->stop());
  handler_ = std::make_unique<PublicHandler>(
      PublicHandler::Parts{.executor = loop_.get_executor(),
                           .timers = timers_,
                           .ports = {.store = store_.ports(),
                                     .random = random_,
                                     .ids = ids_,
                                     .box = box_,
                                     .digest = digest_,
                                     .wall = clock_,
                                     .quarantine = quarantine_,
                                     .sender = sender_,
                                     .sandbox = sandbox_,
                                     .job_started = [this] { ++jobs_started_; }},
                           .ingest = *ingest_,
                           .journal = *journal_,
                           .metrics = metrics_,
                           .auth = std::move(auth)});
}

const std::string& ApiRig::end_and_read_log() {
  doubles::run(loop_, handler_->stop());
  handler_ = nullptr;
  journal_ = nullptr;  // waits until its thread has written everything
  return log_lines_;
}

model::HttpResponse ApiRig::ask(Ask ask) {
  model::HttpRequest head{.method = std::move(ask.method),
                          .target = std::move(ask.target),
                          .headers = std::move(ask.headers),
                          .remote = "127.0.0.1:40000"};
  if (!ask.key.empty()) head.headers.push_back({"Authorization", "Bearer " + ask.key});
  auto admitted = handler_->admit(head);
  if (auto* refused = std::get_if<model::HttpResponse>(&admitted)) return std::move(*refused);
  if (ask.body.size() > std::get<model::BodyAllowance>(admitted).bytes_max) {
    return handler_->fault(model::HttpFault::body_too_large, head);
  }
  head.body = std::move(ask.body);
  return doubles::run(loop_, handler_->handle(std::move(head)));
}

model::HttpResponse ApiRig::admin(std::string method, std::string target, std::string body) {
  model::HeaderList headers;
  if (!body.empty()) headers.push_back({"Content-Type", "application/json"});
  return ask(
      {std::move(method), std::move(target), std::move(body), admin_key_, std::move(headers)});
}

boost::json::value ApiRig::expect(int status, const model::HttpResponse& answer) {
  EXPECT_EQ(answer.status, status) << answer.body;
  boost::system::error_code error;
  auto value = boost::json::parse(answer.body, error);
  EXPECT_FALSE(error && !answer.body.empty()) << answer.body;
  return value;
}

void ApiRig::make_source(std::string_view slug, std::string_view more) {
  expect(201, admin("POST", "/api/sources",
                    fmt::format(R"({{"name":"{0}","slug":"{0}"{1}}})", slug, more)));
}

boost::json::value ApiRig::make_action(std::string_view slug, std::string_view document) {
  return expect(201,
                admin("POST", fmt::format("/api/sources/{}/actions", slug), std::string(document)));
}

std::string ApiRig::make_key(std::string_view scope, std::string_view sources_json) {
  const auto made = expect(
      201, admin("POST", "/api/keys",
                 fmt::format(R"({{"name":"k","scope":"{}","sources":{}}})", scope, sources_json)));
  return std::string(made.at("key").as_string());
}

std::string ApiRig::post_event(std::string_view slug, std::string body) {
  const auto taken = expect(202, ask({.method = "POST",
                                      .target = fmt::format("/webhooks/{}", slug),
                                      .body = std::move(body),
                                      .headers = {{"Content-Type", "application/json"}}}));
  return std::string(taken.at("event_id").as_string());
}

model::Delivery ApiRig::delivery_of(std::string_view event_id) {
  const auto event = doubles::run(
      loop_, store_.event(*model::EventId::parse(event_id), model::Catalog::WithBody::no));
  const auto page = doubles::run(loop_, store_.deliveries({.event = (**event).seq}));
  return page->items.at(0);
}

void ApiRig::settle(const model::Delivery& delivery, model::Settlement::Kind kind,
                    model::EndReason reason, int status) {
  std::vector<model::LeaseWish> wishes{{.action = delivery.action, .count = 100}};
  const auto leased = doubles::run(loop_, store_.lease(std::move(wishes)));
  std::vector<model::Settlement> settlements;
  for (const auto& lease : leased->leases) {
    model::Settlement settlement{
        .delivery = lease.delivery.seq, .fence = lease.fence, .kind = kind};
    settlement.due = store_.clock().now() + Millis{60'000};
    settlement.reason = reason;
    model::Attempt attempt{.id = ids_.make<model::AttemptId>(),
                           .number = lease.delivery.attempts + 1};
    attempt.started = store_.clock().now();
    attempt.action_revision = store_.snapshot()->find_action(lease.delivery.action)->revision;
    attempt.request_headers = {{"webhook-id", lease.delivery.event.str()},
                               {"webhook-signature", "v1,abc"},
                               {"traceparent", "00-aa-bb-01"}};
    attempt.response_status = status;
    const bool good = kind == model::Settlement::Kind::delivered;
    attempt.result = good ? model::AttemptResult::succeeded : model::AttemptResult::failed;
    attempt.step = good ? model::AttemptStep::none : model::AttemptStep::status;
    attempt.error = good ? "" : fmt::format("status: the endpoint answered {}", status);
    settlement.attempt = std::move(attempt);
    settlements.push_back(std::move(settlement));
  }
  ASSERT_FALSE(settlements.empty());
  ASSERT_TRUE(doubles::run(loop_, store_.settle(std::move(settlements))).has_value());
}

std::string ApiRig::make_dead(std::string_view slug) {
  const auto delivery = delivery_of(post_event(slug));
  settle(delivery, model::Settlement::Kind::dead, model::EndReason::retries_exhausted, 500);
  return delivery.id.str();
}

model::ActionPtr ApiRig::action(std::string_view slug, std::string_view name) {
  for (const auto& action : store_.snapshot()->find_source(slug)->actions) {
    if (!action->deleting && action->name == name) return action;
  }
  return nullptr;
}

std::string header_of(const model::HttpResponse& answer, std::string_view name) {
  return std::string(model::find_header(answer.headers, name).value_or(""));
}

std::string next_of(const model::HttpResponse& answer) {
  const std::string link = header_of(answer, "Link");
  const auto end = link.find(">; rel=\"next\"");
  return end == std::string::npos ? "" : link.substr(1, end - 1);
}

std::string kind_of(const model::HttpResponse& answer) {
  boost::system::error_code error;
  const auto value = boost::json::parse(answer.body, error);
  if (error || !value.is_object()) return "";
  const auto* type = value.as_object().if_contains("type");
  return type ? std::string(type->as_string()).substr(kProblemPrefix.size()) : "";
}

}  // namespace grapnel::api
