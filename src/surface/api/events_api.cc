#include "surface/api/events_api.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "model/errors.h"
#include "model/texts.h"
#include "pipeline/limits.h"
#include "pipeline/plan.h"
#include "surface/api/answer.h"
#include "surface/api/limits.h"
#include "surface/api/lookup.h"
#include "surface/api/views.h"

namespace grapnel::api {
namespace {

using model::Admission;
using model::Event;
using model::HttpResponse;

async::Task<HttpResponse> list_events(const Ports& ports, Call call) {
  const auto filter = read_filter(call, filter_texts(call.query));
  if (!filter) co_return filter.error();
  const auto limit = read_limit(call, model::kPageDefault);
  if (!limit) co_return limit.error();
  const auto cursor = read_cursor(call);
  if (!cursor) co_return cursor.error();
  model::EventQuery query{.scope = call.caller.sources,
                          .source = filter->source,
                          .from = filter->from,
                          .to = filter->to,
                          .after = *cursor,
                          .limit = *limit};
  if (const auto type = call.query.find("type")) query.type = std::string(*type);
  if (const auto status = call.query.find("status")) {
    query.fanout = model::from_text<model::FanoutState>(*status);
    if (!query.fanout) {
      co_return to_answer(
          Problem{400,
                  "invalid",
                  fmt::format("status: expected one of {}",
                              fmt::join(model::texts_of<model::FanoutState>(), ", ")),
                  {}});
    }
  }
  const auto page = co_await ports.store.catalog.events(std::move(query));
  if (!page) co_return to_answer(page.error());
  boost::json::array out;
  for (const auto& event : page->items) {
    out.push_back(event_view(event, *call.snapshot, model::Detail::summary));
  }
  auto answer = json_answer(200, out);
  if (page->next) add_next(answer, call, page->next->str());
  co_return answer;
}

async::Task<HttpResponse> get_event(const Ports& ports, Call call) {
  const auto event = co_await find_event(ports, call, call.params[0], model::Catalog::WithBody::no);
  if (!event) co_return event.error();
  co_return json_answer(200, event_view(*event, *call.snapshot, model::Detail::with_headers));
}

/// What a transform made of it.
async::Task<HttpResponse> list_splits(const Ports& ports, Call call) {
  const auto event = co_await find_event(ports, call, call.params[0], model::Catalog::WithBody::no);
  if (!event) co_return event.error();
  const auto splits = co_await ports.store.catalog.splits(event->id);
  if (!splits) co_return to_answer(splits.error());
  boost::json::array out;
  for (const auto& split : *splits) {
    out.push_back(event_view(split, *call.snapshot, model::Detail::summary));
  }
  co_return json_answer(200, out);
}

/// As received, or as the run sent it that the query names.
async::Task<Answer<Event>> find_body(const Ports& ports, const Call& call) {
  const auto run = call.query.find("run");
  if (!run)
    co_return co_await find_event(ports, call, call.params[0], model::Catalog::WithBody::yes);
  const std::string text(*run);
  const char* const end = text.data() + text.size();
  int number = 0;
  if (std::from_chars(text.data(), end, number).ptr != end || number < 1) {
    co_return refuse(400, "invalid", "run: expected a number from 1");
  }
  const auto event = co_await find_event(ports, call, call.params[0], model::Catalog::WithBody::no);
  if (!event) co_return std::unexpected(event.error());
  if (number > event->run) {
    co_return refuse(404, "not-found", fmt::format("the event has {} runs", event->run));
  }
  auto sent = co_await ports.store.log.read({{event->seq, number}});
  if (!sent) co_return refuse(sent.error());
  if (!sent->front()) co_return refuse(sent->front().error());
  if (!*sent->front()) co_return refuse({model::errc::body_gone, "the event is gone"});
  co_return **sent->front();
}

/// The bytes as received. Whoever opens them in a browser must not have them run as a page of ours.
async::Task<HttpResponse> get_body(const Ports& ports, Call call) {
  auto event = co_await find_body(ports, call);
  if (!event) co_return std::move(event.error());
  HttpResponse answer;
  const auto set_type = model::find_header(event->set_headers, "Content-Type");
  const auto type = model::find_header(event->headers, "Content-Type");
  answer.headers = {
      {"Content-Type", std::string(set_type.value_or(type.value_or("application/octet-stream")))},
      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", event->id.str())},
      {"X-Content-Type-Options", "nosniff"},
      {"Content-Security-Policy", "default-src 'none'; sandbox"},
      {"Cache-Control", "no-store"}};
  answer.body = std::move(event->body);
  co_return answer;
}

HttpResponse cannot_replay(std::string_view kind, std::string detail) {
  return to_answer(Problem{409, kind, std::move(detail), {}});
}

HttpResponse replayed_answer(const Event& event, const model::FanoutPlan& plan) {
  boost::json::array deliveries;
  for (const auto& delivery : plan.deliveries) deliveries.emplace_back(delivery.id.str());
  return json_answer(202, {{"event_id", event.id.str()}, {"deliveries", std::move(deliveries)}});
}

/// One plan, tried. Nothing when the definitions changed meanwhile.
async::Task<std::optional<HttpResponse>> try_replay(const Ports& ports, const Event& event) {
  if (event.parent) {
    co_return cannot_replay("is-split", fmt::format("a transform made this event of {}; replay "
                                                    "that one, or this one's deliveries",
                                                    event.parent->str()));
  }
  const auto entry = ports.store.registry.snapshot()->find_source(event.source);
  if (!entry || entry->source.deleting) {
    co_return cannot_replay("source-deleted", "the event's source was deleted");
  }
  if (entry->source.mode != model::SourceMode::active) {
    co_return cannot_replay("source-not-active",
                            fmt::format("source '{}' is in mode {}; set it to active first",
                                        entry->source.slug, model::to_text(entry->source.mode)));
  }
  const pipeline::Planner planner(ports.ids, ports.store.book, nullptr);
  const auto plan = planner.plan(*entry, event.type, event.body_size, model::keyed(event));
  if (!plan) {
    co_return to_answer(
        Problem{429, "backlog-full",
                fmt::format("action {} has as much open work as it may", plan.error().action.str()),
                kRetryAfterStore});
  }
  std::vector<model::FanoutDraft> drafts{
      {.event = event.seq, .run = model::FanoutDraft::Run::again, .plan = *plan}};
  const auto done = co_await ports.store.log.fan_out(std::move(drafts));
  if (!done) co_return to_answer(done.error());
  switch (done->front().admission) {
    case Admission::stale_plan: co_return std::nullopt;
    case Admission::accepted: co_return replayed_answer(event, *plan);
    case Admission::source_gone:
      co_return cannot_replay("source-deleted", "the event's source was deleted");
    default: co_return cannot_replay("not-ended", "the event's own fan-out has not ended yet");
  }
}

/// Run r + 1: today's actions, by the same rules as for a new event.
async::Task<HttpResponse> replay_event(const Ports& ports, Call call) {
  // With its body: what retention took away cannot be sent again.
  const auto event =
      co_await find_event(ports, call, call.params[0], model::Catalog::WithBody::yes);
  if (!event) co_return event.error();
  for (int tries = 0; tries < pipeline::kPlanTriesMax; ++tries) {
    if (auto answer = co_await try_replay(ports, *event)) co_return std::move(*answer);
  }
  co_return to_answer(
      Problem{503, "busy", "the source's configuration keeps changing", kRetryAfterBusy});
}

constexpr std::array kRoutes{
    Route{"GET", "/api/events", "source type status from to limit cursor", model::KeyScope::read,
          Reach::by_source, BodyUse::none, list_events},
    Route{"GET", "/api/events/{event}", "", model::KeyScope::read, Reach::by_source, BodyUse::none,
          get_event},
    Route{"GET", "/api/events/{event}/body", "run", model::KeyScope::read, Reach::by_source,
          BodyUse::none, get_body},
    Route{"GET", "/api/events/{event}/splits", "", model::KeyScope::read, Reach::by_source,
          BodyUse::none, list_splits},
    Route{"POST", "/api/events/{event}/replay", "", model::KeyScope::write, Reach::by_source,
          BodyUse::none, replay_event},
};

}  // namespace

std::span<const Route> event_routes() { return kRoutes; }

}  // namespace grapnel::api
