#include "pipeline/ingest.h"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/work_rest.h"
#include "model/errors.h"
#include "pipeline/body_work.h"
#include "pipeline/cloudevents.h"
#include "pipeline/limits.h"
#include "pipeline/redact.h"
#include "signature/handshake.h"
#include "telemetry/trace.h"

namespace grapnel::pipeline {
namespace {

using model::Admission;
using model::Event;
using model::HttpRequest;

constexpr std::string_view kCloudEventsProvider = "cloudevents";

Refusal no_such_source(std::string_view slug) {
  return {.kind = RefusalKind::unknown_source,
          .detail = fmt::format("there is no source '{}'", slug.substr(0, model::kSlugBytesMax))};
}

Refusal wrong_method() {
  return {.kind = RefusalKind::wrong_method, .detail = "webhooks are sent with POST or PUT"};
}

Refusal pool_is_full() {
  return {.kind = RefusalKind::too_many_waiting,
          .detail = "too many large bodies wait to be read",
          .retry_after = Millis{1000}};
}

bool is_sending(const HttpRequest& request) {
  return request.method == "POST" || request.method == "PUT";
}

/// The method by which the source's provider asks whether it may send; "" = none.
std::string_view method_of_handshake(const Entrance& entrance) {
  return entrance.verifier ? signature::extra_method(entrance.verifier->scheme().handshake) : "";
}

/// Whether a hostile request can make the source try several signatures of key pairs.
bool is_slow(const Entrance& entrance) {
  using signature::Method;
  const auto method = entrance.verifier ? entrance.verifier->scheme().method : Method::none;
  return method == Method::ed25519 || method == Method::standard;
}

/// What the sender is told: nothing that it could try the next guess with.
Refusal refusal_of(const Entrance& entrance, const signature::Rejected& why) {
  using signature::Method;
  Refusal out{.kind = RefusalKind::unverified,
              .detail =
                  "this request could not be verified; the owner of the source finds out why "
                  "with 'grapnel verify', in the log and in the metrics",
              .rejected = why.reason,
              .for_owner = why.detail};
  if (why.reason == signature::Rejection::insecure) out.detail = why.detail;
  const auto method = entrance.verifier ? entrance.verifier->scheme().method : Method::none;
  if (method == Method::basic) out.challenge = "Basic realm=\"webhooks\"";
  if (method == Method::token && entrance.verifier->scheme().prefix == "Bearer ") {
    out.challenge = "Bearer realm=\"webhooks\"";
  }
  return out;
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
      gate_(parts.box),
      audit_(parts.log_lines, parts.wall),
      appends_(parts.executor, [&log = parts.log](std::vector<model::EventDraft> drafts) {
        return log.append(std::move(drafts));
      }) {}

Ingest::Outcome Ingest::refuse(std::string_view slug, const std::string& remote, Refusal refusal) {
  parts_.metrics.refused(refusal);
  audit_.refused(slug, refusal, remote);
  return std::unexpected(std::move(refusal));
}

std::expected<model::BodyAllowance, Refusal> Ingest::admit(std::string_view slug,
                                                           const HttpRequest& head) {
  const auto entry = parts_.registry.snapshot()->find_source(slug);
  if (!entry) {
    return std::unexpected(refuse(slug, head.remote, no_such_source(slug)).error());
  }
  if (!is_sending(head)) {
    if (head.method == method_of_handshake(*gate_.of(entry->source))) {
      return model::BodyAllowance{.bytes_max = 0, .payer = entry->source.id.str()};
    }
    return std::unexpected(refuse(slug, head.remote, wrong_method()).error());
  }
  if (entry->source.require_json &&
      !model::is_json_type(model::find_header(head.headers, "Content-Type").value_or(""))) {
    return std::unexpected(
        refuse(slug, head.remote,
               {RefusalKind::unsupported_type,
                fmt::format("source '{}' takes application/json (or a +json type) only",
                            entry->source.slug),
                {},
                {},
                {},
                {}})
            .error());
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
  const std::string remote = request.remote;
  if (!entry) co_return refuse(slug, remote, no_such_source(slug));
  const EntrancePtr entrance = gate_.of(entry->source);
  Outcome outcome;
  if (!is_sending(request)) {
    outcome = answer_by_method(*entrance, request);
  } else {
    outcome = co_await take_verified(entrance, std::move(request));
  }
  parts_.metrics.ingest_took(parts_.timers.now() - started);
  if (!outcome) co_return refuse(slug, remote, std::move(outcome.error()));
  if (outcome->answer) {
    parts_.metrics.handshake();
    audit_.handshake(entry->source, remote);
  }
  co_return outcome;
}

Ingest::Outcome Ingest::answer_by_method(const Entrance& entrance, const HttpRequest& request) {
  if (request.method != method_of_handshake(entrance)) return std::unexpected(wrong_method());
  if (entrance.source.inbound.require_https && !request.secure) {
    return std::unexpected(refusal_of(
        entrance, {signature::Rejection::insecure, "the source takes requests over HTTPS only"}));
  }
  auto answer =
      signature::answer_unsigned(entrance.verifier->scheme().handshake, entrance.handshake_tokens,
                                 request, entrance.source.rate_limit.per_second * 60);
  if (!answer) {
    return std::unexpected(
        Refusal{.kind = RefusalKind::handshake,
                .detail = "this handshake is not granted",
                .for_owner = "its token is none of the source's, or it is not in the form of the "
                             "provider's protocol"});
  }
  return Receipt{.answer = std::move(answer)};
}

async::Task<Result<Ingest::Verification>> Ingest::let_in(EntrancePtr entrance,
                                                         const HttpRequest& request) {
  const Time now = parts_.wall.wall();
  const std::size_t inline_max =
      is_slow(*entrance) ? kInlineAsymmetricBytesMax : kInlineWorkBytesMax;
  if (parts_.pool == nullptr || request.body.size() <= inline_max) {
    co_return verify(*entrance, request, now);
  }
  const auto on_pool = [&] {
    async::WorkRest rest;
    return Result<Verification>(verify(*entrance, request, now, [&rest] { rest.before_piece(); }));
  };
  co_return co_await parts_.pool->run(on_pool);
}

async::Task<Ingest::Outcome> Ingest::take_verified(EntrancePtr entrance, HttpRequest request) {
  const model::Source& source = entrance->source;
  if (request.body.size() > source.body_bytes_max) {
    co_return std::unexpected(
        Refusal{.kind = RefusalKind::body_too_large,
                .detail = fmt::format("source '{}' takes bodies of up to {}", source.slug,
                                      format_size(source.body_bytes_max))});
  }
  const auto done = co_await let_in(entrance, request);
  if (!done) co_return std::unexpected(pool_is_full());
  const Verification& verified = *done;
  if (!verified) {
    Refusal refusal = refusal_of(*entrance, verified.error());
    parts_.quarantine.add(source, std::move(request), verified.error(), parts_.clock.now());
    co_return std::unexpected(std::move(refusal));
  }
  if (auto answer = handshake_in(*entrance, *verified, request)) {
    co_return Receipt{.answer = std::move(answer)};
  }
  if (auto refusal = check(source)) co_return std::unexpected(std::move(*refusal));
  const bool in_batch =
      source.inbound.provider == kCloudEventsProvider && is_batch(request.headers);
  auto requests = co_await events_in(source, std::move(request));
  if (!requests) co_return std::unexpected(std::move(requests.error()));
  std::vector<Draft> drafts;
  drafts.reserve(requests->size());
  for (auto& one : *requests) {
    auto event = co_await make_event(source, std::move(one));
    if (!event) co_return std::unexpected(std::move(event.error()));
    Draft& draft = drafts.emplace_back();
    draft.event = std::move(*event);
    if (draft.event.body_size > model::kBodyInlineBytesMax) {
      draft.large_body = std::make_shared<const std::string>(std::exchange(draft.event.body, {}));
    }
  }
  if (auto refusal = co_await store(source.slug, drafts)) {
    co_return std::unexpected(std::move(*refusal));
  }
  Receipt receipt;
  if (!drafts.empty()) {
    receipt.admission = drafts.front().taken->admission;
    receipt.event = drafts.front().taken->event;
  }
  if (in_batch) {
    receipt.batch.emplace();
    for (const Draft& draft : drafts) receipt.batch->push_back(*draft.taken);
  }
  co_return receipt;
}

std::optional<Refusal> Ingest::check(const model::Source& source) {
  if (const auto wait = rates_.take(source.id, source.rate_limit, parts_.clock.now())) {
    return Refusal{.kind = RefusalKind::rate_limited,
                   .detail = fmt::format("source '{}' takes {} requests a second", source.slug,
                                         source.rate_limit.per_second),
                   .retry_after = wait};
  }
  // What waits behind a store that hangs would never be told.
  if (const auto health = parts_.upkeep.health(); !health.writable) {
    return store_refusal({health.code, health.reason});
  }
  if (appends_.waiting() >= kIngestWaitingMax) {
    return Refusal{.kind = RefusalKind::too_many_waiting,
                   .detail = "too many events wait for the store",
                   .retry_after = Millis{1000}};
  }
  // An active source that still holds events holds new ones too: they join the end.
  const auto held = parts_.log.held_work(source.id);
  const bool holds = source.mode == model::SourceMode::paused ||
                     (source.mode == model::SourceMode::active && held.count > 0);
  if (holds && (held.count >= source.held_bound.count || held.bytes >= source.held_bound.bytes)) {
    return Refusal{.kind = RefusalKind::held_full,
                   .detail = fmt::format("source '{}' holds as many events as it may", source.slug),
                   .retry_after = Millis{60'000}};
  }
  return std::nullopt;
}

async::Task<std::expected<std::vector<HttpRequest>, Refusal>> Ingest::events_in(
    const model::Source& source, HttpRequest request) {
  std::vector<HttpRequest> out;
  if (source.inbound.provider != kCloudEventsProvider) {
    out.push_back(std::move(request));
    co_return out;
  }
  using Split = std::expected<std::vector<HttpRequest>, std::string>;
  Split split;
  if (parts_.pool != nullptr && request.body.size() > kInlineWorkBytesMax) {
    const auto on_pool = [&] { return Result<Split>(cloud_events_of(std::move(request))); };
    auto done = co_await parts_.pool->run(on_pool);
    if (!done) co_return std::unexpected(pool_is_full());
    split = std::move(*done);
  } else {
    split = cloud_events_of(std::move(request));
  }
  if (!split) {
    co_return std::unexpected(
        Refusal{.kind = RefusalKind::invalid_event, .detail = std::move(split.error())});
  }
  co_return std::move(*split);
}

async::Task<std::expected<Event, Refusal>> Ingest::make_event(const model::Source& source,
                                                              HttpRequest request) {
  BodyWork work;
  if (parts_.pool != nullptr && request.body.size() > kInlineWorkBytesMax) {
    const auto on_pool = [&] { return Result<BodyWork>(work_on_large(source, request)); };
    auto done = co_await parts_.pool->run(on_pool);
    if (!done) co_return std::unexpected(pool_is_full());
    work = std::move(*done);
  } else {
    work = work_on(source, request);
  }
  if (!work.acceptable) {
    co_return std::unexpected(Refusal{
        .kind = RefusalKind::invalid_json,
        .detail = fmt::format("the body is not JSON, which source '{}' requires", source.slug)});
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
  event.verification = source.inbound.provider;
  co_return event;
}

void Ingest::give_up(Draft& draft) {
  if (draft.plan) planner_.release(*draft.plan, draft.event.body_size);
  draft.plan.reset();
  parts_.log.drop_body(draft.body_file);
  draft.body_file.clear();
}

std::optional<Refusal> Ingest::plan_all(std::vector<Draft>& drafts) {
  for (Draft& draft : drafts) {
    if (draft.taken) continue;
    const auto entry = parts_.registry.snapshot()->find_source(draft.event.source);
    if (!entry || entry->source.deleting) return no_such_source("");
    auto plan =
        planner_.plan(*entry, draft.event.type, draft.event.body_size, model::keyed(draft.event));
    if (!plan) {
      return Refusal{
          .kind = RefusalKind::backlog_full,
          .detail = fmt::format("an action of source '{}' has as much open work as it may",
                                entry->source.slug),
          .retry_after = Millis{60'000}};
    }
    draft.plan = std::move(*plan);
  }
  return std::nullopt;
}

async::Task<std::optional<Refusal>> Ingest::append(std::vector<Draft>& drafts) {
  for (Draft& draft : drafts) {  // files first: plans are made and used in one go
    if (draft.taken || !draft.large_body) continue;
    auto name = co_await parts_.log.write_body(draft.large_body);  // anew: a name is for one draft
    if (!name) co_return store_refusal(name.error());
    draft.body_file = std::move(*name);
  }
  if (auto refusal = plan_all(drafts)) co_return refusal;
  std::vector<model::EventDraft> group;
  for (const Draft& draft : drafts) {
    if (draft.taken) continue;
    group.push_back({.event = draft.event, .body_file = draft.body_file, .plan = *draft.plan});
  }
  if (group.empty()) co_return std::nullopt;
  Result<std::vector<model::Appended>> appended;
  if (group.size() == 1) {
    auto one = co_await appends_.add(std::move(group.front()));
    if (one) {
      appended->push_back(std::move(*one));
    } else {
      appended = std::unexpected(std::move(one.error()));
    }
  } else {
    appended = co_await appends_.add_group(std::move(group));
  }
  if (!appended) co_return store_refusal(appended.error());
  auto answer = appended->begin();
  for (Draft& draft : drafts) {
    if (!draft.taken) note(draft, *answer++);
  }
  co_return std::nullopt;
}

async::Task<std::optional<Refusal>> Ingest::store(std::string slug, std::vector<Draft>& drafts) {
  const auto is_open = [](const Draft& draft) { return !draft.taken; };
  for (int tries = 0; tries < kPlanTriesMax; ++tries) {
    auto refusal = co_await append(drafts);
    if (!refusal && std::ranges::none_of(drafts, is_open)) co_return std::nullopt;
    for (Draft& draft : drafts) {
      if (is_open(draft)) give_up(draft);
    }
    if (refusal && refusal->kind == RefusalKind::unknown_source) break;
    if (refusal) co_return refusal;
  }
  const auto entry = parts_.registry.snapshot()->find_source(slug);
  if (!entry) co_return no_such_source(slug);
  co_return Refusal{.kind = RefusalKind::store_down,
                    .detail = "the source's configuration keeps changing",
                    .retry_after = Millis{1000}};
}

void Ingest::note(Draft& draft, const model::Appended& appended) {
  if (appended.admission == Admission::stale_plan || appended.admission == Admission::source_gone) {
    return;  // nothing of it was stored
  }
  draft.taken = Taken{.admission = appended.admission, .event = appended.event};
  draft.event.seq = appended.seq;
  const auto newest = parts_.registry.snapshot()->find_source(draft.event.source);
  if (newest && !newest->source.deleting) {
    parts_.metrics.received(newest->source, appended.admission);
    audit_.taken(newest->source, draft.event, appended.admission, appended.event);
  }
  if (appended.admission == Admission::accepted) {
    parts_.metrics.fanned_out(*draft.plan);
    parts_.adopter.adopt(*draft.plan, appended,
                         std::make_shared<const Event>(std::move(draft.event)));
    return;
  }
  if (appended.other_body) parts_.metrics.duplicate_with_other_body();
  planner_.release(*draft.plan, draft.event.body_size);
}

Refusal Ingest::store_refusal(const Error& error) const {
  // The store's own words name files: they are for its operator, not for whoever sends.
  return {.kind = RefusalKind::store_down,
          .detail = error.code == model::errc::store_full
                        ? "the store is full; try again later"
                        : "the store cannot take events now; try again later",
          .retry_after = Millis{5000}};
}

async::Task<> Ingest::stop(async::Deadline deadline) {
  co_await appends_.stop(parts_.timers, deadline);
}

}  // namespace grapnel::pipeline
