#include "surface/cli/replays.h"

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <tuple>

#include "surface/cli/errors.h"
#include "surface/cli/limits.h"
#include "surface/cli/lists.h"

namespace grapnel::cli {
namespace {

using boost::json::object;
using boost::json::value;

std::string progress_of(const value& job) {
  return fmt::format("{} of {} replayed, {} skipped", shown(job, "replayed"), shown(job, "matched"),
                     shown(job, "skipped"));
}

/// Asks until the job has ended, telling a person how far it is.
async::Task<Result<value>> wait_for_job(const Environment& environment, const Output& output,
                                        Client& client, value job) {
  const std::string id = field_text(job, "id");
  const bool rewrites = environment.out_is_terminal && output.is_for_people();
  std::string last;
  while (field_text(job, "state") == "running") {
    const std::string progress = progress_of(job);
    if (rewrites) {
      environment.err(fmt::format("\r{}   ", progress));
    } else if (progress != last) {
      output.note(progress);
    }
    last = progress;
    if (auto slept = co_await environment.timers.sleep_for(kProgressInterval); !slept) {
      co_return fail(slept.error());
    }
    auto next = co_await client.json({.path = fmt::format("/api/replays/{}", encode_segment(id))});
    if (!next) co_return next;
    job = std::move(*next);
  }
  if (rewrites && !last.empty()) environment.err("\r");
  co_return job;
}

Result<object> filter_of(const ReplayOptions& options, Time now) {
  object out;
  const auto put = [&out](std::string_view name, const std::optional<std::string>& text) {
    if (text) out[name] = *text;
  };
  put("source", options.source);
  put("action", options.action);
  put("reason", options.reason);
  for (const auto& [option, name, text] :
       {std::tuple{"--from", "from", options.from}, std::tuple{"--to", "to", options.to}}) {
    if (!text) continue;
    auto time = time_of(option, *text, now, Direction::ago);
    if (!time) return fail(std::move(time.error()));
    out[name] = *time;
  }
  if (options.rate) out["rate"] = *options.rate;
  return out;
}

async::Task<Result<>> replay_dead_letters(const Environment& environment, const Output& output,
                                          Client& client, ReplayOptions options) {
  auto filter = filter_of(options, environment.clock.wall());
  if (!filter) co_return fail(std::move(filter.error()));
  Call call{.method = "POST", .path = "/api/replays"};
  call.document = std::move(*filter);
  auto job = co_await client.json(std::move(call));
  if (job && options.wait) {
    job = co_await wait_for_job(environment, output, client, std::move(*job));
  }
  if (!job) co_return fail(std::move(job.error()));
  std::string sentence =
      fmt::format("replay {} {}: {}", shown(*job, "id"), shown(*job, "state"), progress_of(*job));
  if (!options.wait) sentence += fmt::format("; see grapnel get replay {}", shown(*job, "id"));
  output.result(*job, sentence);
  co_return Result<>{};
}

}  // namespace

async::Task<Result<>> run_replay(const Environment& environment, const Output& output,
                                 Client& client, ReplayOptions options) {
  if (options.what == ReplayOptions::What::dead_letters) {
    if (!options.id.empty()) {
      co_return fail(errc::usage,
                     "replay dead-letters takes no ID; narrow it with --source, "
                     "--action, --reason, --from, --to");
    }
    co_return co_await replay_dead_letters(environment, output, client, std::move(options));
  }
  if (options.id.empty()) co_return fail(errc::usage, "replay: which one? an ID is required");
  if (options.source || options.action || options.reason || options.from || options.to ||
      options.rate) {
    co_return fail(errc::usage, "replay: filters and --rate are for dead-letters");
  }
  const bool is_event = options.what == ReplayOptions::What::event;
  Call call{.method = "POST",
            .path = fmt::format("/api/{}/{}/replay", is_event ? "events" : "deliveries",
                                encode_segment(options.id))};
  const auto made = co_await client.json(std::move(call));
  if (!made) co_return fail(made.error());
  output.result(*made, is_event
                           ? fmt::format("event {} is delivered again: {}",
                                         shown(*made, "event_id"), shown(*made, "deliveries"))
                           : fmt::format("delivery {} is {}, a replay of {}", shown(*made, "id"),
                                         shown(*made, "state"), shown(*made, "replay_of")));
  co_return Result<>{};
}

}  // namespace grapnel::cli
