#include "surface/api/deliveries_api.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <array>

#include "model/errors.h"
#include "model/texts.h"
#include "surface/api/answer.h"
#include "surface/api/limits.h"
#include "surface/api/lookup.h"
#include "surface/api/views.h"

namespace grapnel::api {
namespace {

using model::Catalog;
using model::HttpResponse;

/// "pending" or "pending,retrying".
Answer<std::vector<model::DeliveryState>> read_states(const Call& call) {
  std::vector<model::DeliveryState> states;
  auto rest = call.query.find("state").value_or("");
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    const auto state = model::from_text<model::DeliveryState>(word);
    if (!state) {
      return refuse(400, "invalid",
                    fmt::format("state: expected one or more of {}, separated by commas",
                                fmt::join(model::texts_of<model::DeliveryState>(), ", ")));
    }
    states.push_back(*state);
  }
  return states;
}

async::Task<HttpResponse> list_deliveries(const Ports& ports, Call call) {
  const auto filter = read_filter(call, filter_texts(call.query));
  if (!filter) co_return filter.error();
  const auto limit = read_limit(call, model::kPageDefault);
  if (!limit) co_return limit.error();
  const auto cursor = read_cursor(call);
  if (!cursor) co_return cursor.error();
  auto states = read_states(call);
  if (!states) co_return states.error();
  model::DeliveryQuery query{.scope = call.caller.sources,
                             .source = filter->source,
                             .action = filter->action,
                             .states = std::move(*states),
                             .from = filter->from,
                             .to = filter->to,
                             .after = *cursor,
                             .limit = *limit};
  if (const auto id = call.query.find("event")) {
    const auto event = co_await find_event(ports, call, *id, Catalog::WithBody::no);
    if (!event) co_return event.error();
    query.event = event->seq;
  }
  const auto page = co_await ports.store.catalog.deliveries(std::move(query));
  if (!page) co_return to_answer(page.error());
  boost::json::array out;
  for (const auto& delivery : page->items) out.push_back(delivery_view(delivery, *call.snapshot));
  auto answer = json_answer(200, out);
  if (page->next) add_next(answer, call, page->next->str());
  co_return answer;
}

async::Task<HttpResponse> get_relay_delivery(const Ports& ports, const Call& call) {
  auto event = co_await find_event(ports, call, call.params[0], Catalog::WithBody::no);
  if (event && event->body_size <= kPayloadShownBytesMax) {
    // A body that is damaged or gone leaves the rest of the event worth showing.
    if (auto whole = co_await ports.store.catalog.event(event->id, Catalog::WithBody::yes);
        whole && *whole) {
      event = std::move(**whole);
    }
  }
  if (!event) co_return std::move(event.error());
  co_return json_text_answer(200, relay_delivery_text(*event, *call.snapshot));
}

async::Task<HttpResponse> get_delivery(const Ports& ports, Call call) {
  if (model::EventId::parse(call.params[0])) co_return co_await get_relay_delivery(ports, call);
  const auto delivery = co_await find_delivery(ports, call, call.params[0]);
  if (!delivery) co_return delivery.error();
  co_return json_answer(200, delivery_view(*delivery, *call.snapshot));
}

async::Task<HttpResponse> cancel_delivery(const Ports& ports, Call call) {
  auto delivery = co_await find_delivery(ports, call, call.params[0]);
  if (!delivery) co_return std::move(delivery.error());
  std::vector<model::DeliveryId> ids{delivery->id};
  const auto done = co_await ports.store.book.cancel(std::move(ids));
  if (!done) co_return to_answer(done.error());
  if (!done->front()) co_return to_answer(done->front().error());
  // A running one is cancelled when its attempt returns; the wish is stored already.
  const bool waits = *done->front() == model::DeliveryState::running;
  const auto now = co_await find_delivery(ports, call, call.params[0]);
  if (!now) co_return now.error();
  co_return json_answer(waits ? 202 : 200, delivery_view(*now, *call.snapshot));
}

async::Task<HttpResponse> retry_delivery(const Ports& ports, Call call) {
  const auto delivery = co_await find_delivery(ports, call, call.params[0]);
  if (!delivery) co_return delivery.error();
  const auto done = co_await ports.store.book.retry_now(delivery->id);
  if (!done && done.error().code == model::errc::conflict) {
    co_return to_answer(Problem{409,
                                "not-retrying",
                                "only a delivery that waits for its next try can be made due now",
                                {}});
  }
  if (!done) co_return to_answer(done.error());
  co_return json_answer(200, delivery_view(*done, *call.snapshot));
}

async::Task<HttpResponse> skip_delivery(const Ports& ports, Call call) {
  const auto delivery = co_await find_delivery(ports, call, call.params[0]);
  if (!delivery) co_return delivery.error();
  const auto done = co_await ports.store.book.skip(delivery->id);
  if (!done && done.error().code == model::errc::conflict) {
    co_return to_answer(Problem{409,
                                "not-blocking",
                                "only a dead delivery that blocks its ordering key can be skipped",
                                {}});
  }
  if (!done) co_return to_answer(done.error());
  co_return json_answer(200, delivery_view(*done, *call.snapshot));
}

async::Task<HttpResponse> replay_delivery(const Ports& ports, Call call) {
  const auto delivery = co_await find_delivery(ports, call, call.params[0]);
  if (!delivery) co_return delivery.error();
  std::vector<model::ReplayWish> wishes{
      {.original = delivery->id, .replay = ports.ids.make<model::DeliveryId>()}};
  const auto done = co_await ports.store.book.replay(std::move(wishes));
  if (!done) co_return to_answer(done.error());
  const auto& replay = done->front();
  if (!replay) co_return to_answer(replay.error());
  auto answer = json_answer(201, delivery_view(*replay, *call.snapshot));
  answer.headers.push_back({"Location", fmt::format("/api/deliveries/{}", replay->id.str())});
  co_return answer;
}

constexpr auto kWrite = model::KeyScope::write;

constexpr std::array kRoutes{
    Route{"GET", "/api/deliveries", "event source action state from to limit cursor",
          model::KeyScope::read, Reach::by_source, BodyUse::none, list_deliveries},
    Route{"GET", "/api/deliveries/{delivery}", "", model::KeyScope::read, Reach::by_source,
          BodyUse::none, get_delivery},
    Route{"POST", "/api/deliveries/{delivery}/cancel", "", kWrite, Reach::by_source, BodyUse::none,
          cancel_delivery},
    Route{"POST", "/api/deliveries/{delivery}/retry", "", kWrite, Reach::by_source, BodyUse::none,
          retry_delivery},
    Route{"POST", "/api/deliveries/{delivery}/skip", "", kWrite, Reach::by_source, BodyUse::none,
          skip_delivery},
    Route{"POST", "/api/deliveries/{delivery}/replay", "", kWrite, Reach::by_source, BodyUse::none,
          replay_delivery},
};

}  // namespace

std::span<const Route> delivery_routes() { return kRoutes; }

}  // namespace grapnel::api
