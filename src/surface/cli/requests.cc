#include "surface/cli/requests.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <filesystem>

#include "model/headers.h"
#include "model/ids.h"
#include "surface/cli/errors.h"
#include "surface/cli/files.h"
#include "surface/cli/limits.h"
#include "surface/cli/lists.h"
#include "surface/cli/sheet.h"

namespace grapnel::cli {
namespace {

using boost::json::object;
using boost::json::value;

/// A document for programs, a sentence for people.
void show(const Output& output, const value& document, std::string_view sentence) {
  if (output.is_for_people()) {
    output.line(sentence);
  } else {
    output.document(document);
  }
}

std::string shown(const value& document, std::string_view path) {
  return printable(field_text(document, path));
}

Result<model::HeaderList> read_headers(const SendOptions& options) {
  model::HeaderList out;
  for (const auto& text : options.headers) {
    const std::size_t colon = text.find(':');
    model::Header header{text.substr(0, colon), ""};
    if (colon != std::string::npos) {
      const std::size_t start = text.find_first_not_of(" \t", colon + 1);
      if (start != std::string::npos) header.value = text.substr(start);
    }
    if (colon == std::string::npos || !model::is_header_name(header.name) ||
        !model::is_header_value(header.value)) {
      return fail(errc::usage,
                  fmt::format("--header: expected 'Name: value', given '{}'", printable(text)));
    }
    out.push_back(std::move(header));
  }
  if (options.type) {
    if (!model::is_header_value(*options.type)) {
      return fail(errc::usage, "--type: expected a text on one line");
    }
    out.push_back({"ce-type", *options.type});
  }
  return out;
}

Result<std::string> read_body(const Environment& environment, const SendOptions& options) {
  if (options.data) return *options.data;
  if (options.file == "-") return environment.read_standard_input();
  if (options.file) return read_file(*options.file, kBodyFileBytesMax);
  return fmt::format(
      "{{\"type\":\"{}\",\"message\":\"hello from grapnel send\",\"sent_at\":\"{}\"}}", "ping",
      to_rfc3339(environment.clock.wall()));
}

bool is_json(std::string_view text) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(text, error);
  return !error && !parsed.is_null();
}

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
  show(output, *job, sentence);
  co_return Result<>{};
}

std::string change_path(const ChangeOptions& options) {
  const std::string id = encode_segment(options.id);
  switch (options.what) {
    case ChangeOptions::What::cancel:
      return options.id.starts_with(model::JobTag::kPrefix)
                 ? fmt::format("/api/replays/{}/cancel", id)
                 : fmt::format("/api/deliveries/{}/cancel", id);
    case ChangeOptions::What::retry: return fmt::format("/api/deliveries/{}/retry", id);
    case ChangeOptions::What::skip: return fmt::format("/api/deliveries/{}/skip", id);
    case ChangeOptions::What::enable: break;
  }
  return "";
}

std::string change_sentence(const ChangeOptions& options, const value& now) {
  switch (options.what) {
    case ChangeOptions::What::cancel: {
      const std::string state = shown(now, "state");
      const std::string id = shown(now, "id");
      return state == "cancelled" ? fmt::format("{} is cancelled", id)
                                  : fmt::format("{} will be cancelled when its attempt ends", id);
    }
    case ChangeOptions::What::retry: return fmt::format("{} is due now", shown(now, "id"));
    case ChangeOptions::What::skip:
      return fmt::format("the ordering key goes on past {}", shown(now, "id"));
    case ChangeOptions::What::enable:
      return fmt::format("action {} is enabled, its health is {}", shown(now, "name"),
                         shown(now, "health.status"));
  }
  return "";
}

async::Task<Result<>> create_key(const Output& output, Client& client, KeyOptions options) {
  object document{{"name", options.name}, {"scope", options.scope}};
  if (!options.sources.empty()) {
    boost::json::array sources;
    for (const auto& source : options.sources) sources.emplace_back(source);
    document["sources"] = std::move(sources);
  }
  if (options.expires) {
    auto time = time_of("--expires", *options.expires, output.now(), Direction::from_now);
    if (!time) co_return fail(std::move(time.error()));
    document["expires_at"] = *time;
  }
  Call call{.method = "POST", .path = "/api/keys"};
  call.document = std::move(document);
  const auto made = co_await client.json(std::move(call));
  if (!made) co_return fail(made.error());
  if (output.is_for_people()) {
    output.note(fmt::format("key {} of scope {}, shown only now:", shown(*made, "id"),
                            shown(*made, "scope")));
  }
  show(output, *made, shown(*made, "key"));
  co_return Result<>{};
}

}  // namespace

async::Task<Result<>> run_send(const Environment& environment, const Output& output, Client& client,
                               SendOptions options) {
  auto headers = read_headers(options);
  if (!headers) co_return fail(std::move(headers.error()));
  const auto body = read_body(environment, options);
  if (!body) co_return fail(body.error());
  if (!model::find_header(*headers, "Content-Type")) {
    headers->push_back(
        {"Content-Type", is_json(*body) ? "application/json" : "application/octet-stream"});
  }
  const auto answer = co_await client.post_webhook(
      fmt::format("/webhooks/{}", encode_segment(options.source)), std::move(*headers), *body);
  if (!answer) co_return fail(answer.error());
  const auto receipt = parse_answer(*answer, client.server());
  if (!receipt) co_return fail(receipt.error());
  const std::string status = shown(*receipt, "status");
  show(output, *receipt,
       fmt::format("{} {}", shown(*receipt, "event_id"), output.painted(status, tone_of(status))));
  co_return Result<>{};
}

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
  show(output, *made,
       is_event ? fmt::format("event {} is delivered again: {}", shown(*made, "event_id"),
                              shown(*made, "deliveries"))
                : fmt::format("delivery {} is {}, a replay of {}", shown(*made, "id"),
                              shown(*made, "state"), shown(*made, "replay_of")));
  co_return Result<>{};
}

async::Task<Result<>> run_change(const Output& output, Client& client, ChangeOptions options) {
  std::string path = change_path(options);
  if (options.what == ChangeOptions::What::enable) {
    const auto name = parse_action_name(options.id);
    if (!name) co_return fail(name.error());
    path = path_of(*name) + "/enable";
  }
  Call call{.method = "POST", .path = std::move(path)};
  const auto changed = co_await client.json(std::move(call));
  if (!changed) co_return fail(changed.error());
  show(output, *changed, change_sentence(options, *changed));
  co_return Result<>{};
}

async::Task<Result<>> run_rotate(const Output& output, Client& client, RotateOptions options) {
  const auto name = parse_action_name(options.action);
  if (!name) co_return fail(name.error());
  object document;
  if (options.secret_file) {
    const auto secret = read_secret_file(*options.secret_file);
    if (!secret) co_return fail(secret.error());
    document["signing_secret"] = *secret;
  }
  if (options.overlap) document["overlap"] = *options.overlap;
  Call call{.method = "POST", .path = path_of(*name) + "/rotate-secret"};
  call.document = std::move(document);
  const auto rotated = co_await client.json(std::move(call));
  if (!rotated) co_return fail(rotated.error());
  if (!output.is_for_people()) {
    output.document(*rotated);
    co_return Result<>{};
  }
  std::string until;
  if (const auto* secrets = find_field(*rotated, "signing_secrets");
      secrets && secrets->is_array() && secrets->get_array().size() > 1) {
    until = shown(secrets->get_array()[1], "expires_at");
  }
  output.note(until.empty() ? "the new secret, shown only now:"
                            : fmt::format("the old secret signs on until {}; the new one, shown "
                                          "only now:",
                                          until));
  output.line(shown(*rotated, "signing_secret"));
  for (const auto* field : {"signing_secret_whsec", "signing_public_key"}) {
    const std::string text = shown(*rotated, field);
    if (!text.empty()) output.note(fmt::format("also as {}", text));
  }
  co_return Result<>{};
}

async::Task<Result<>> run_keys(const Output& output, Client& client, KeyOptions options) {
  switch (options.what) {
    case KeyOptions::What::list: {
      const auto keys = co_await client.list("/api/keys", {}, kRowsMax);
      if (!keys) co_return fail(keys.error());
      output.rows(*keys, columns_of(Kind::key), "no keys");
      break;
    }
    case KeyOptions::What::create:
      co_return co_await create_key(output, client, std::move(options));
    case KeyOptions::What::remove: {
      Call call{.method = "DELETE",
                .path = fmt::format("/api/keys/{}", encode_segment(options.name))};
      const auto removed = co_await client.json(std::move(call));
      if (!removed) co_return fail(removed.error());
      show(output, object{{"id", options.name}, {"deleted", true}},
           fmt::format("key {} is deleted", printable(options.name)));
      break;
    }
  }
  co_return Result<>{};
}

async::Task<Result<>> run_backup(const Output& output, Client& client, BackupOptions options) {
  // The server wants an absolute path; a relative one is meant from here.
  std::error_code error;
  const auto folder = std::filesystem::absolute(options.folder, error).lexically_normal();
  Call call{.method = "POST", .path = "/api/backup", .timeout = kBackupTimeout};
  call.document = object{{"folder", error ? options.folder : folder.string()}};
  const auto made = co_await client.json(std::move(call));
  if (!made) co_return fail(made.error());
  show(output, *made,
       fmt::format("backup written to {} on the server's machine", shown(*made, "folder")));
  co_return Result<>{};
}

async::Task<Result<>> run_status(const Output& output, Client& client) {
  const auto status = co_await client.json({.path = "/api/status"});
  if (!status) co_return fail(status.error());
  if (!output.is_for_people()) {
    output.document(*status);
    co_return Result<>{};
  }
  const bool writable = field_text(*status, "store.writable") == "true";
  Sheet sheet(output);
  sheet.field("Server",
              fmt::format("{} (version {})", client.server(), field_text(*status, "version")));
  sheet.painted("Store", writable ? "writable" : "not writable", writable ? Tone::good : Tone::bad);
  sheet.field("Reason", field_text(*status, "store.reason"));
  sheet.field("Definitions", fmt::format("{} sources, {} actions", field_text(*status, "sources"),
                                         field_text(*status, "actions")));
  sheet.field(
      "Open",
      fmt::format("{} pending, {} running, {} retrying", field_text(*status, "open.pending"),
                  field_text(*status, "open.running"), field_text(*status, "open.retrying")));
  sheet.field("Held", fmt::format("{} events", field_text(*status, "held.count")));
  sheet.field("Dead letters", field_text(*status, "dead_letters"));
  sheet.print();
  co_return Result<>{};
}

}  // namespace grapnel::cli
