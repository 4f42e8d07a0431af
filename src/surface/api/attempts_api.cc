#include "surface/api/attempts_api.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/utf8.h"
#include "model/errors.h"
#include "model/texts.h"
#include "model/transform.h"
#include "pipeline/outbound.h"
#include "surface/api/answer.h"
#include "surface/api/lookup.h"
#include "surface/api/views.h"

namespace grapnel::api {
namespace {

namespace json = boost::json;
using model::Action;
using model::Attempt;
using model::Delivery;
using model::Event;
using model::HttpResponse;

/// The actions that attempts were made with, each read once.
using ActionsSeen = std::map<std::pair<model::ActionId, model::Revision>, std::optional<Action>>;

async::Task<Result<const Action*>> action_of(const Ports& ports, ActionsSeen& seen,
                                             model::ActionId id, model::Revision revision) {
  auto at = seen.find({id, revision});
  if (at == seen.end()) {
    auto action = co_await ports.store.catalog.action_at(id, revision);
    if (!action) co_return fail(action.error());
    at = seen.emplace(std::pair(id, revision), std::move(*action)).first;
  }
  co_return at->second ? &*at->second : nullptr;
}

/// What the attempt's row holds (signatures and trace context) and what is constant, joined as they
/// were when it was sent. Secrets are cut, also what the action calls one only by now.
model::HeaderList sent_headers(const model::Source& source, const Action& action,
                               const Action& today, const Event& event, const Delivery& delivery,
                               const Attempt& attempt) {
  model::HeaderList signed_headers = attempt.request_headers;
  const std::string trace(model::find_header(signed_headers, "traceparent").value_or(""));
  model::remove_header(signed_headers, "traceparent");
  auto headers = pipeline::recorded_headers(
      action, pipeline::outbound_headers(source, action, event, delivery, attempt.number,
                                         std::move(signed_headers), trace));
  headers = pipeline::recorded_headers(today, headers);
  for (auto& header : headers) {
    if (model::is_secret_header(source, header.name)) header.value = "[cut]";
  }
  return headers;
}

json::value request_view(const model::RegistrySnapshot& snapshot, const Action* action,
                         const Event& event, const Delivery& delivery, const Attempt& attempt) {
  const bool was_sent = attempt.step != model::AttemptStep::prepare;
  const bool is_sent = action == nullptr || action->type == model::kWebhook;
  if (!was_sent || !is_sent) return nullptr;
  json::object out;
  out["method"] = "POST";
  out["body_url"] = fmt::format("/api/events/{}/body?run={}", event.id.str(), delivery.run);
  if (action == nullptr) {  // its revision is not kept any more
    out["url"] = nullptr;
    out["headers"] = header_pairs(pipeline::recorded_headers({}, attempt.request_headers));
    out["complete"] = false;
    return out;
  }
  const auto entry = snapshot.find_source(event.source);
  const model::Source
      nobody;  // the source is gone: what it called secret was replaced on the way in
  out["url"] = valid_utf8(action->target_url);
  const auto today = snapshot.find_action(action->id);
  out["headers"] = header_pairs(sent_headers(entry ? entry->source : nobody, *action,
                                             today ? *today : *action, event, delivery, attempt));
  out["complete"] = true;
  return out;
}

/// With the names that the original relay gave its fields, where they differ.
json::object attempt_view(const Delivery& delivery, const Attempt& attempt) {
  json::object out = model::to_json(attempt);
  out.erase("request_headers");  // part of "request"
  out["delivery_id"] = delivery.id.str();
  out["event_id"] = delivery.event.str();
  out["action_id"] = delivery.action.str();
  out["attempt_number"] = attempt.number;
  out["created_at"] = to_rfc3339(attempt.started);
  out["status"] = attempt.result == model::AttemptResult::succeeded ? "success" : "failed";
  out["error_message"] = out.at("error");
  return out;
}

struct Shown {
  std::pair<Time, model::Seq> order;
  json::object view;
};

/// Appends a delivery's attempts.
async::Task<Result<>> add_attempts(const Ports& ports, const Call& call, const Event& event,
                                   const Delivery& delivery, ActionsSeen& seen,
                                   std::vector<Shown>& out) {
  const auto attempts = co_await ports.store.catalog.attempts(delivery.seq);
  if (!attempts) co_return fail(attempts.error());
  const Event sent = model::is_transform(delivery) || attempts->empty()
                         ? event
                         : co_await as_run_sends(ports, event, delivery.run);
  for (const Attempt& attempt : *attempts) {
    const auto action = co_await action_of(ports, seen, delivery.action, attempt.action_revision);
    if (!action) co_return fail(action.error());
    json::object view = attempt_view(delivery, attempt);
    view["request"] = request_view(*call.snapshot, *action, sent, delivery, attempt);
    out.push_back({{attempt.started, delivery.seq}, std::move(view)});
  }
  co_return Result<>{};
}

HttpResponse attempts_answer(std::vector<Shown> shown) {
  std::ranges::sort(shown, {}, &Shown::order);
  json::array out;
  for (auto& attempt : shown) out.push_back(std::move(attempt.view));
  return json_answer(200, out);
}

/// All attempts of all deliveries of an event; pages count deliveries.
async::Task<HttpResponse> list_event_attempts(const Ports& ports, const Call& call) {
  const auto event = co_await find_event(ports, call, call.params[0], model::Catalog::WithBody::no);
  if (!event) co_return event.error();
  const auto limit = read_limit(call, model::kPageDefault);
  if (!limit) co_return limit.error();
  const auto cursor = read_cursor(call);
  if (!cursor) co_return cursor.error();
  model::DeliveryQuery query{
      .scope = call.caller.sources, .event = event->seq, .after = *cursor, .limit = *limit};
  const auto page = co_await ports.store.catalog.deliveries(std::move(query));
  if (!page) co_return to_answer(page.error());
  ActionsSeen seen;
  std::vector<Shown> shown;
  for (const Delivery& delivery : page->items) {
    const auto added = co_await add_attempts(ports, call, *event, delivery, seen, shown);
    if (!added) co_return to_answer(added.error());
  }
  auto answer = attempts_answer(std::move(shown));
  if (page->next) add_next(answer, call, page->next->str());
  co_return answer;
}

async::Task<HttpResponse> list_attempts(const Ports& ports, Call call) {
  if (model::EventId::parse(call.params[0])) co_return co_await list_event_attempts(ports, call);
  const auto delivery = co_await find_delivery(ports, call, call.params[0]);
  if (!delivery) co_return delivery.error();
  const auto event =
      co_await find_event(ports, call, delivery->event.str(), model::Catalog::WithBody::no);
  if (!event) co_return event.error();
  ActionsSeen seen;
  std::vector<Shown> shown;
  const auto added = co_await add_attempts(ports, call, *event, *delivery, seen, shown);
  if (!added) co_return to_answer(added.error());
  co_return attempts_answer(std::move(shown));
}

constexpr std::array kRoutes{
    Route{"GET", "/api/deliveries/{delivery}/attempts", "limit cursor", model::KeyScope::read,
          Reach::by_source, BodyUse::none, list_attempts},
};

}  // namespace

std::span<const Route> attempt_routes() { return kRoutes; }

}  // namespace grapnel::api
