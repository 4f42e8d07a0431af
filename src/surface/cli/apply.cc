#include "surface/cli/apply.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <vector>

#include "surface/cli/errors.h"
#include "surface/cli/files.h"
#include "surface/cli/manifest.h"
#include "surface/cli/plan.h"

namespace grapnel::cli {
namespace {

using boost::json::object;
using What = Step::What;

std::string_view verb_of(What what) {
  switch (what) {
    case What::unchanged: return "unchanged";
    case What::create: return "created";
    case What::change: return "changed";
    case What::remove: return "deleted";
  }
  return "";
}

std::string path_of(const Step& step) {
  std::string path = fmt::format("/api/sources/{}", encode_segment(step.source));
  if (!step.action.empty()) path += fmt::format("/actions/{}", encode_segment(step.action));
  return path;
}

Result<std::vector<ManifestFile>> read_files(const Environment& environment,
                                             const std::vector<std::string>& names) {
  if (names.size() > kManifestFilesMax) {
    return fail(errc::usage, fmt::format("at most {} files at a time", kManifestFilesMax));
  }
  std::vector<ManifestFile> out;
  for (const auto& name : names) {
    auto text = name == "-" ? environment.read_standard_input() : read_file(name, kYamlBytesMax);
    if (!text) return fail(std::move(text.error()));
    out.push_back({name == "-" ? "standard input" : name, std::move(*text)});
  }
  return out;
}

async::Task<Result<std::vector<CurrentSource>>> read_current(Client& client) {
  std::vector<CurrentSource> out;
  auto sources = co_await client.list("/api/sources", {}, kRowsMax);
  if (!sources) co_return fail(std::move(sources.error()));
  for (auto& source : *sources) {
    if (!source.is_object()) co_return fail(errc::bad_answer, "a source is not an object");
    CurrentSource current{std::move(source.get_object()), {}};
    const std::string path =
        fmt::format("/api/sources/{}/actions", encode_segment(field_text(current.source, "slug")));
    auto actions = co_await client.list(path, {}, kRowsMax);
    if (!actions) co_return fail(std::move(actions.error()));
    for (auto& action : *actions) {
      if (!action.is_object()) co_return fail(errc::bad_answer, "an action is not an object");
      current.actions.push_back(std::move(action.get_object()));
    }
    out.push_back(std::move(current));
  }
  co_return out;
}

/// Before the first change: what would be pruned has no open work. The server checks again.
async::Task<Result<>> check_open_work(Client& client, const Plan& plan) {
  std::string open;
  for (const auto& step : plan.steps) {
    if (step.what != What::remove) continue;
    Query query{{"source", step.source}, {"state", "pending,running,retrying"}};
    if (!step.action.empty()) query.emplace_back("action", step.action);
    auto rows = co_await client.list("/api/deliveries", std::move(query), 1);
    if (!rows) co_return fail(std::move(rows.error()));
    if (rows->empty() && step.action.empty()) {
      Query held{{"source", step.source}, {"status", "held"}};
      rows = co_await client.list("/api/events", std::move(held), 1);
      if (!rows) co_return fail(std::move(rows.error()));
    }
    if (rows->empty()) continue;
    open += fmt::format("{}{}: has open work, which pruning would cancel; wait, or use --force",
                        open.empty() ? "" : "\n", step.title());
  }
  if (!open.empty()) co_return fail(errc::conflict, std::move(open));
  co_return Result<>{};
}

/// Colours differences as diff does.
void show_step(const Output& output, const Step& step) {
  const Tone tone = step.what == What::create   ? Tone::good
                    : step.what == What::remove ? Tone::bad
                    : step.what == What::change ? Tone::warning
                                                : Tone::dim;
  const std::string_view verb = step.what == What::unchanged ? "unchanged"
                                : step.what == What::create  ? "would be created"
                                : step.what == What::change  ? "would be changed"
                                                             : "would be deleted";
  output.line(fmt::format("{} {}", step.title(), output.painted(verb, tone)));
  for (const auto& change : step.changes) {
    if (change.before) {
      output.line(
          output.painted(fmt::format("  - {}: {}", change.field, *change.before), Tone::bad));
    }
    if (change.after) {
      output.line(
          output.painted(fmt::format("  + {}: {}", change.field, *change.after), Tone::good));
    }
  }
}

std::string summary_of(const Plan& plan, std::string_view verb) {
  return fmt::format("{} {}created, {} {}changed, {} {}deleted, {} unchanged",
                     plan.count(What::create), verb, plan.count(What::change), verb,
                     plan.count(What::remove), verb, plan.count(What::unchanged));
}

object as_document(const Plan& plan) {
  boost::json::array steps;
  for (const auto& step : plan.steps) {
    boost::json::array changes;
    for (const auto& change : step.changes) {
      object out{{"field", change.field}, {"before", nullptr}, {"after", nullptr}};
      if (change.before) out["before"] = *change.before;
      if (change.after) out["after"] = *change.after;
      changes.push_back(std::move(out));
    }
    steps.push_back(
        {{"object", step.title()}, {"step", verb_of(step.what)}, {"changes", std::move(changes)}});
  }
  return {{"steps", std::move(steps)}};
}

/// Whether definitions that somebody else manages, or that have open work, are changed, too.
enum class Force : std::uint8_t { no, yes };

class Applier {
 public:
  Applier(const Environment& environment, const Output& output, Client& client, Force force)
      : environment_(environment), output_(output), client_(client), force_(force) {}

  async::Task<Result<>> take(const Step& step);

 private:
  Call call(std::string method, std::string path) const {
    Call out{.method = std::move(method),
             .path = std::move(path),
             .headers = {{"X-Grapnel-Managed-By", "apply"}}};
    if (force_ == Force::yes) out.query.emplace_back("force", "true");
    return out;
  }
  async::Task<Result<>> create(const Step& step);
  async::Task<Result<>> change(const Step& step);
  void show_secret(const Step& step, const boost::json::value& created) const;
  void show_source_secrets(const Step& step, const boost::json::value& created) const;

  const Environment& environment_;
  const Output& output_;
  Client& client_;
  Force force_;
};

async::Task<Result<>> Applier::create(const Step& step) {
  const bool is_source = step.action.empty();
  Call out =
      call("POST", is_source ? "/api/sources"
                             : fmt::format("/api/sources/{}/actions", encode_segment(step.source)));
  object document = step.document;
  if (step.signing_secret) document["signing_secret"] = step.signing_secret->reveal();
  for (const auto& field : step.secrets) document[field.key()] = field.value();
  out.document = std::move(document);
  const auto created = co_await client_.json(std::move(out));
  if (!created) co_return fail(created.error());
  if (!is_source && !step.signing_secret) show_secret(step, *created);
  if (is_source) show_source_secrets(step, *created);
  co_return Result<>{};
}

/// Shown where a person looks, never where it would be kept in a log.
void Applier::show_secret(const Step& step, const boost::json::value& created) const {
  const std::string secret = printable(field_text(created, "signing_secret"));
  if (secret.empty()) return;
  const std::string public_key = printable(field_text(created, "signing_public_key"));
  if (!public_key.empty()) output_.note(fmt::format("{} public key: {}", step.title(), public_key));
  if (environment_.out_is_terminal) {
    output_.note(fmt::format("{} signing secret, shown only now: {}", step.title(), secret));
  } else {
    output_.note(
        fmt::format("{} has a signing secret that the server made; `grapnel rotate-secret "
                    "{}/{}` makes and shows another",
                    step.title(), step.source, printable(step.action)));
  }
}

void Applier::show_source_secrets(const Step& step, const boost::json::value& created) const {
  for (const std::string_view name : {"secret", "handshake_token"}) {
    const std::string made = printable(field_text(created, name));
    if (made.empty()) continue;
    if (environment_.out_is_terminal) {
      output_.note(fmt::format("{} {}, shown only now: {}", step.title(), name, made));
    } else {
      output_.note(
          fmt::format("{} has a {} that the server made; give your own with "
                      "'secrets: [{{env: NAME}}]', or apply from a terminal to see it",
                      step.title(), name));
    }
  }
}

async::Task<Result<>> Applier::change(const Step& step) {
  if (step.signing_secret) {
    Call out = call("POST", path_of(step) + "/rotate-secret");
    out.query.clear();  // whoever owns it, secrets are rotated without force
    out.document = object{{"signing_secret", step.signing_secret->reveal()}};
    const auto rotated = co_await client_.json(std::move(out));
    if (!rotated) co_return fail(rotated.error());
  }
  // An empty document still takes the definition over.
  Call out = call("PATCH", path_of(step));
  object document = step.document;
  for (const auto& field : step.secrets) document[field.key()] = field.value();
  out.document = std::move(document);
  const auto changed = co_await client_.json(std::move(out));
  if (!changed) co_return fail(changed.error());
  co_return Result<>{};
}

async::Task<Result<>> Applier::take(const Step& step) {
  Result<> done;
  switch (step.what) {
    case What::unchanged: break;
    case What::create: done = co_await create(step); break;
    case What::change: done = co_await change(step); break;
    case What::remove: {
      const auto removed = co_await client_.call(call("DELETE", path_of(step)));
      if (!removed) done = fail(removed.error());
      break;
    }
  }
  if (!done) {
    const std::string at = step.place.empty() ? "" : step.place + ": ";
    co_return fail(Error{done.error().code,
                         fmt::format("{}{}: {}", at, step.title(), done.error().message())});
  }
  if (output_.is_for_people()) {
    const Tone tone = step.what == What::unchanged ? Tone::dim : tone_of(verb_of(step.what));
    output_.line(fmt::format("{} {}", step.title(), output_.painted(verb_of(step.what), tone)));
  }
  co_return done;
}

}  // namespace

async::Task<Result<>> run_apply(const Environment& environment, const Output& output,
                                Client& client, ApplyOptions options) {
  const auto files = read_files(environment, options.files);
  if (!files) co_return fail(files.error());
  const auto manifest = read_manifest(*files, environment.variable);
  if (!manifest) co_return fail(manifest.error());
  const auto current = co_await read_current(client);
  if (!current) co_return fail(current.error());
  const auto plan =
      make_plan(*manifest, *current, {options.prune, options.force, options.rotate_secrets});
  if (!plan) co_return fail(plan.error());
  if (!options.force) {
    if (auto free = co_await check_open_work(client, *plan); !free) co_return free;
  }
  if (options.dry_run) {
    if (!output.is_for_people()) {
      output.document(as_document(*plan));
    } else {
      for (const auto& step : plan->steps) show_step(output, step);
      output.line(summary_of(*plan, "would be "));
    }
    co_return Result<>{};
  }
  Applier applier(environment, output, client, options.force ? Force::yes : Force::no);
  int done = 0;
  for (const auto& step : plan->steps) {
    if (auto taken = co_await applier.take(step); !taken) {
      Error error = taken.error();
      error.context += fmt::format(
          "\n{} of {} steps were taken; mend this and run the same command "
          "again",
          done, plan->steps.size());
      co_return fail(std::move(error));
    }
    ++done;
  }
  if (output.is_for_people()) {
    output.line(summary_of(*plan, ""));
  } else {
    output.document(as_document(*plan));
  }
  co_return Result<>{};
}

}  // namespace grapnel::cli
