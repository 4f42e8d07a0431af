#include "surface/api/replays_api.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <array>

#include "base/utf8.h"
#include "model/errors.h"
#include "model/json_reader.h"
#include "model/texts.h"
#include "surface/api/answer.h"
#include "surface/api/limits.h"
#include "surface/api/lookup.h"
#include "surface/api/page.h"
#include "surface/api/views.h"

namespace grapnel::api {
namespace {

using model::HttpResponse;
using model::ReplayJob;

Answer<std::optional<model::EndReason>> read_reason(std::optional<std::string_view> text) {
  if (!text) return std::optional<model::EndReason>{};
  const auto reason = text->empty() ? std::nullopt : model::from_text<model::EndReason>(*text);
  if (reason) return reason;
  const auto known = model::texts_of<model::EndReason>().subspan(1);  // the first is "none"
  return refuse(400, "invalid", fmt::format("reason: expected one of {}", fmt::join(known, ", ")));
}

async::Task<HttpResponse> list_dead_letters(const Ports& ports, Call call) {
  const auto filter = read_filter(call, filter_texts(call.query));
  if (!filter) co_return filter.error();
  const auto reason = read_reason(call.query.find("reason"));
  if (!reason) co_return reason.error();
  const auto limit = read_limit(call, model::kPageDefault);
  if (!limit) co_return limit.error();
  const auto cursor = read_cursor(call);
  if (!cursor) co_return cursor.error();
  model::DeadQuery query{.scope = call.caller.sources,
                         .filter = {.source = filter->source,
                                    .action = filter->action,
                                    .reason = *reason,
                                    .ended_from = filter->from,
                                    .ended_to = filter->to},
                         .after = *cursor,
                         .limit = *limit};
  const auto page = co_await ports.store.catalog.dead_letters(std::move(query));
  if (!page) co_return to_answer(page.error());
  boost::json::array out;
  for (const auto& delivery : page->items) out.push_back(delivery_view(delivery, *call.snapshot));
  auto answer = json_answer(200, out);
  if (page->next) add_next(answer, call, page->next->str());
  co_return answer;
}

bool sees(const Caller& caller, const ReplayJob& job) {
  return !caller.is_limited() || (job.filter.source && caller.sees(*job.filter.source));
}

/// Each job is of one source as soon as that can be known, so that limited keys see theirs.
Answer<std::optional<model::SourceId>> source_of_job(const Call& call, const Filter& filter) {
  if (filter.source) return filter.source;
  if (filter.action) {
    const auto action = call.snapshot->find_action(*filter.action);
    if (action && call.caller.sees(action->source)) return std::optional(action->source);
  }
  if (!call.caller.is_limited()) return std::optional<model::SourceId>{};
  if (call.caller.sources.size() == 1) return std::optional(call.caller.sources.front());
  return refuse(400, "invalid", "source: this key is limited to several sources, so name one");
}

struct JobTexts {
  std::optional<std::string> source;
  std::optional<std::string> action;
  std::optional<std::string> reason;
  std::optional<std::string> from;
  std::optional<std::string> to;
  double rate = 0;
};

Answer<JobTexts> read_job(const Call& call) {
  const auto document = read_json(call);
  if (!document) return std::unexpected(document.error());
  model::Mistakes mistakes;
  model::ObjectReader fields(*document, "", mistakes);
  const auto text = [&fields](std::string_view name) {
    return fields.text(name, 1, model::kNameBytesMax);
  };
  JobTexts texts{.source = text("source"),
                 .action = text("action"),
                 .reason = text("reason"),
                 .from = text("from"),
                 .to = text("to")};
  texts.rate = fields.number("rate", 0, kReplayRateMax).value_or(0);
  fields.finish();
  if (mistakes.any()) return refuse(mistakes.error().error());
  return texts;
}

async::Task<HttpResponse> create_replay(const Ports& ports, Call call) {
  const auto texts = read_job(call);
  if (!texts) co_return texts.error();
  const auto filter = read_filter(
      call,
      {.source = texts->source, .action = texts->action, .from = texts->from, .to = texts->to});
  if (!filter) co_return filter.error();
  const auto reason = read_reason(texts->reason);
  if (!reason) co_return reason.error();
  const auto source = source_of_job(call, *filter);
  if (!source) co_return source.error();
  ReplayJob job{.id = ports.ids.make<model::JobId>(),
                .filter = {.source = *source,
                           .action = filter->action,
                           .reason = *reason,
                           .ended_from = filter->from,
                           .ended_to = filter->to},
                .per_second = texts->rate};
  const auto made = co_await ports.store.book.start_job(std::move(job));
  if (!made && made.error().code == model::errc::too_many) {
    co_return to_answer(Problem{429, "too-many", made.error().message(), kRetryAfterStore});
  }
  if (!made) co_return to_answer(made.error());
  if (ports.job_started) ports.job_started();
  auto answer = json_answer(202, job_view(*made, *call.snapshot));
  answer.headers.push_back({"Location", fmt::format("/api/replays/{}", made->id.str())});
  co_return answer;
}

async::Task<HttpResponse> list_replays(const Ports& ports, Call call) {
  auto jobs = co_await ports.store.book.jobs();
  if (!jobs) co_return to_answer(jobs.error());
  std::erase_if(*jobs, [&call](const ReplayJob& job) { return !sees(call.caller, job); });
  auto page = take_page(call, std::move(*jobs), [](const ReplayJob& job) { return job.id; });
  if (!page) co_return std::move(page.error());
  boost::json::array out;
  for (const auto& job : page->items) out.push_back(job_view(job, *call.snapshot));
  auto answer = json_answer(200, out);
  if (!page->next.empty()) add_next(answer, call, page->next);
  co_return answer;
}

async::Task<Answer<ReplayJob>> find_job(const Ports& ports, const Call& call) {
  auto jobs = co_await ports.store.book.jobs();
  if (!jobs) co_return refuse(jobs.error());
  const auto id = model::JobId::parse(call.params[0]);
  for (auto& job : *jobs) {
    if (id && job.id == *id && sees(call.caller, job)) co_return std::move(job);
  }
  co_return refuse(404, "not-found",
                   fmt::format("there is no replay '{}'",
                               valid_utf8(call.params[0].substr(0, model::kEchoBytesMax))));
}

async::Task<HttpResponse> get_replay(const Ports& ports, Call call) {
  const auto job = co_await find_job(ports, call);
  if (!job) co_return job.error();
  co_return json_answer(200, job_view(*job, *call.snapshot));
}

async::Task<HttpResponse> cancel_replay(const Ports& ports, Call call) {
  const auto job = co_await find_job(ports, call);
  if (!job) co_return job.error();
  const auto done = co_await ports.store.book.cancel_job(job->id);
  if (!done) co_return to_answer(done.error());
  co_return json_answer(200, job_view(*done, *call.snapshot));
}

constexpr auto kRead = model::KeyScope::read;
constexpr auto kWrite = model::KeyScope::write;

constexpr std::array kRoutes{
    Route{"GET", "/api/dead-letters", "source action reason from to limit cursor", kRead,
          Reach::by_source, BodyUse::none, list_dead_letters},
    Route{"GET", "/api/replays", "limit cursor", kRead, Reach::by_source, BodyUse::none,
          list_replays},
    Route{"POST", "/api/replays", "", kWrite, Reach::by_source, BodyUse::json, create_replay},
    Route{"GET", "/api/replays/{job}", "", kRead, Reach::by_source, BodyUse::none, get_replay},
    Route{"POST", "/api/replays/{job}/cancel", "", kWrite, Reach::by_source, BodyUse::none,
          cancel_replay},
};

}  // namespace

std::span<const Route> replay_routes() { return kRoutes; }

}  // namespace grapnel::api
