#include "pipeline/ingest.h"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "async/work_rest.h"
#include "crypto/digest.h"
#include "model/errors.h"
#include "pipeline/describe.h"
#include "pipeline/json_body.h"
#include "pipeline/json_scan.h"
#include "pipeline/limits.h"
#include "pipeline/redact.h"
#include "telemetry/trace.h"

namespace grapnel::pipeline {
namespace {

using model::Admission;
using model::Event;
using model::HttpRequest;

Refusal no_such_source(std::string_view slug) {
  return {RefusalKind::unknown_source,
          fmt::format("there is no source '{}'", slug.substr(0, model::kSlugBytesMax)),
          {}};
}

/// What of an event costs time in proportion to its body.
struct BodyWork {
  bool acceptable = true;  ///< JSON, where the source requires it
  Description description;
  model::Sha256 sha256{};
};

BodyWork work_on(const model::Source& source, const HttpRequest& request) {
  if (source.require_json && !is_json(request.body)) return {.acceptable = false};
  return {.description = describe(source, request), .sha256 = crypto::sha256(request.body)};
}

/// The same of a large body, on a thread of the pool, in pieces: neither the time nor the memory
/// that it takes at once grows with the body.
BodyWork work_on_large(const model::Source& source, const HttpRequest& request) {
  const std::string_view body = request.body;
  const auto places = places_in_body(source);
  const bool is_looked_into = source.require_json || !places.empty();
  JsonScan scan(places);
  crypto::Sha256Stream hash;
  async::WorkRest rest;
  for (std::size_t at = 0; at < body.size(); at += kWorkPieceBytes) {
    rest.before_piece();
    const std::string_view piece = body.substr(at, kWorkPieceBytes);
    hash.add(piece);
    if (is_looked_into) scan.add(piece);
  }
  auto values = scan.finish();
  if (source.require_json && !values) return {.acceptable = false};
  return {.description = describe(source, request, std::move(values).value_or(BodyValues{})),
          .sha256 = hash.finish()};
}

/// The sender's trace goes on; where there is none, or it is malformed, one begins here.
std::string trace_of(const HttpRequest& request, Random& random) {
  if (const auto header = model::find_header(request.headers, "traceparent")) {
    if (const auto context = telemetry::parse_traceparent(*header)) return context->str();
  }
  return telemetry::make_trace(random).str();
}

}  // namespace

Ingest::Ingest(Parts parts)
    : parts_(parts),
      planner_(parts.ids, parts.book, &parts.adopter),
      appends_(parts.executor, [&log = parts.log](std::vector<model::EventDraft> drafts) {
        return log.append(std::move(drafts));
      }) {}

std::expected<model::BodyAllowance, Refusal> Ingest::admit(std::string_view slug,
                                                           const HttpRequest& head) const {
  const auto entry = parts_.registry.snapshot()->find_source(slug);
  if (!entry) {
    parts_.metrics.refused(RefusalKind::unknown_source);
    return std::unexpected(no_such_source(slug));
  }
  if (entry->source.require_json &&
      !model::is_json_type(model::find_header(head.headers, "Content-Type").value_or(""))) {
    parts_.metrics.refused(RefusalKind::unsupported_type);
    return std::unexpected(
        Refusal{RefusalKind::unsupported_type,
                fmt::format("source '{}' takes application/json (or a +json type) only",
                            entry->source.slug),
                {}});
  }
  return model::BodyAllowance{.bytes_max = entry->source.body_bytes_max,
                              .payer = entry->source.id.str()};
}

async::Task<std::expected<Receipt, Refusal>> Ingest::receive(std::string slug,
                                                             HttpRequest request) {
  // A wait that threw between a plan and its append would leave places reserved for ever.
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  Outcome outcome = co_await take(std::move(slug), std::move(request));
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return outcome;
}

async::Task<Ingest::Outcome> Ingest::take(std::string slug, HttpRequest request) {
  const Monotonic started = parts_.timers.now();
  const auto entry = parts_.registry.snapshot()->find_source(slug);
  std::optional<Refusal> refusal;
  if (!entry) {
    refusal = no_such_source(slug);
  } else {
    refusal = check(entry->source, request);
  }
  if (refusal) {
    parts_.metrics.refused(refusal->kind);
    co_return std::unexpected(std::move(*refusal));
  }
  auto event = co_await make_event(entry->source, std::move(request));
  Outcome outcome = event ? co_await store(std::move(slug), std::move(*event))
                          : std::unexpected(std::move(event.error()));
  if (!outcome) parts_.metrics.refused(outcome.error().kind);
  parts_.metrics.ingest_took(parts_.timers.now() - started);
  co_return outcome;
}

std::optional<Refusal> Ingest::check(const model::Source& source, const HttpRequest& request) {
  if (request.body.size() > source.body_bytes_max) {
    return Refusal{RefusalKind::body_too_large,
                   fmt::format("source '{}' takes bodies of up to {}", source.slug,
                               format_size(source.body_bytes_max)),
                   {}};
  }
  if (const auto wait = rates_.take(source.id, source.rate_limit, parts_.clock.now())) {
    return Refusal{RefusalKind::rate_limited,
                   fmt::format("source '{}' takes {} requests a second", source.slug,
                               source.rate_limit.per_second),
                   wait};
  }
  // What waits behind a store that hangs would never be told.
  if (const auto health = parts_.upkeep.health(); !health.writable) {
    return store_refusal({health.code, health.reason});
  }
  if (appends_.waiting() >= kIngestWaitingMax) {
    return Refusal{RefusalKind::too_many_waiting, "too many events wait for the store",
                   Millis{1000}};
  }
  // An active source that still holds events holds new ones too: they join the end.
  const auto held = parts_.log.held_work(source.id);
  const bool holds = source.mode == model::SourceMode::paused ||
                     (source.mode == model::SourceMode::active && held.count > 0);
  if (holds && (held.count >= source.held_bound.count || held.bytes >= source.held_bound.bytes)) {
    return Refusal{RefusalKind::held_full,
                   fmt::format("source '{}' holds as many events as it may", source.slug),
                   Millis{60'000}};
  }
  return std::nullopt;
}

async::Task<std::expected<Event, Refusal>> Ingest::make_event(const model::Source& source,
                                                              HttpRequest request) {
  BodyWork work;
  if (parts_.pool != nullptr && request.body.size() > kInlineWorkBytesMax) {
    const model::Source copy = source;  // the snapshot it came from may be replaced meanwhile
    const auto on_pool = [&] { return Result<BodyWork>(work_on_large(copy, request)); };
    auto done = co_await parts_.pool->run(on_pool);
    if (!done) {
      co_return std::unexpected(Refusal{RefusalKind::too_many_waiting,
                                        "too many large bodies wait to be read", Millis{1000}});
    }
    work = std::move(*done);
  } else {
    work = work_on(source, request);
  }
  if (!work.acceptable) {
    co_return std::unexpected(
        Refusal{RefusalKind::invalid_json,
                fmt::format("the body is not JSON, which source '{}' requires", source.slug),
                {}});
  }
  Event event;
  event.id = parts_.ids.make<model::EventId>();
  event.source = source.id;
  event.type = std::move(work.description.type);
  event.method = std::move(request.method);
  event.target = redact_target(source, parts_.digest, request.target);
  event.remote = std::move(request.remote);
  event.traceparent = trace_of(request, parts_.random);
  redact_headers(source, parts_.digest, request.headers);
  event.headers = std::move(request.headers);
  event.body_size = request.body.size();
  event.body_sha256 = work.sha256;
  event.body = std::move(request.body);
  event.received = parts_.clock.now();
  event.idempotency_place = std::move(work.description.idempotency_place);
  event.idempotency_key = std::move(work.description.idempotency_key);
  event.ordering_key = std::move(work.description.ordering_key);
  co_return event;
}

async::Task<std::expected<Receipt, Refusal>> Ingest::store(std::string slug, Event event) {
  std::shared_ptr<const std::string> large_body;
  if (event.body_size > model::kBodyInlineBytesMax) {
    large_body = std::make_shared<const std::string>(std::exchange(event.body, {}));
  }
  for (int tries = 0; tries < kPlanTriesMax; ++tries) {
    std::string body_file;
    if (large_body) {  // anew for each draft: a name is for one
      auto name = co_await parts_.log.write_body(large_body);
      if (!name) co_return std::unexpected(store_refusal(name.error()));
      body_file = std::move(*name);
    }
    const auto entry = parts_.registry.snapshot()->find_source(event.source);
    if (!entry || entry->source.deleting) {
      parts_.log.drop_body(body_file);
      break;
    }
    auto plan = planner_.plan(*entry, event.type, event.body_size, model::keyed(event));
    if (!plan) {
      parts_.log.drop_body(body_file);
      co_return std::unexpected(
          Refusal{RefusalKind::backlog_full,
                  fmt::format("an action of source '{}' has as much open work as it may", slug),
                  Millis{60'000}});
    }
    auto appended = co_await appends_.add({.event = event, .body_file = body_file, .plan = *plan});
    if (!appended || appended->admission == Admission::stale_plan ||
        appended->admission == Admission::source_gone) {
      parts_.log.drop_body(body_file);  // nothing of it was stored
    }
    if (!appended) {
      planner_.release(*plan, event.body_size);
      co_return std::unexpected(store_refusal(appended.error()));
    }
    if (appended->admission == Admission::stale_plan) {
      planner_.release(*plan, event.body_size);
      continue;
    }
    if (appended->admission == Admission::source_gone) {
      planner_.release(*plan, event.body_size);
      break;
    }
    event.seq = appended->seq;
    co_return accepted(*plan, *appended, std::make_shared<const Event>(std::move(event)));
  }
  const auto entry = parts_.registry.snapshot()->find_source(slug);
  if (entry) {
    co_return std::unexpected(Refusal{RefusalKind::store_down,
                                      "the source's configuration keeps changing", Millis{1000}});
  }
  co_return std::unexpected(no_such_source(slug));
}

Receipt Ingest::accepted(const model::FanoutPlan& plan, const model::Appended& appended,
                         model::EventPtr event) {
  const auto newest = parts_.registry.snapshot()->find_source(event->source);
  if (newest && !newest->source.deleting) {
    parts_.metrics.received(newest->source, appended.admission);
  }
  if (appended.admission == Admission::duplicate) {
    if (appended.other_body) parts_.metrics.duplicate_with_other_body();
    planner_.release(plan, event->body_size);
  } else if (appended.admission == Admission::accepted) {
    parts_.metrics.fanned_out(plan);
    parts_.adopter.adopt(plan, appended, std::move(event));
  } else {
    planner_.release(plan, event->body_size);
  }
  return {.admission = appended.admission, .event = appended.event};
}

Refusal Ingest::store_refusal(const Error& error) const {
  // The store's own words name files: they are for its operator, not for whoever sends.
  return {RefusalKind::store_down,
          error.code == model::errc::store_full
              ? "the store is full; try again later"
              : "the store cannot take events now; try again later",
          Millis{5000}};
}

async::Task<> Ingest::stop(async::Deadline deadline) {
  co_await appends_.stop(parts_.timers, deadline);
}

}  // namespace grapnel::pipeline
