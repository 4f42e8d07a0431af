#include "surface/cli/plan.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>

#include "base/utf8.h"
#include "model/definition_json.h"
#include "model/json_text.h"
#include "model/texts.h"
#include "model/transform.h"
#include "surface/cli/errors.h"
#include "surface/cli/limits.h"
#include "surface/cli/output.h"

namespace grapnel::cli {
namespace {

using boost::json::object;

/// Fields of `from` that are in `wanted` or in `always`.
object only(const object& from, const object& wanted,
            std::initializer_list<std::string_view> always) {
  object out;
  for (const auto& field : from) {
    const bool kept = wanted.contains(field.key()) ||
                      std::ranges::find(always, std::string_view(field.key())) != always.end();
    if (kept && !field.value().is_null()) out[field.key()] = field.value();
  }
  return out;
}

std::string shown(const boost::json::value& value) {
  std::string text = value.is_string() ? std::string(value.get_string()) : model::json_text(value);
  if (text.empty()) text = "\"\"";
  if (text.size() > kDifferenceTextMax) {
    text =
        fmt::format("{}… ({} bytes)", valid_utf8(text.substr(0, kDifferenceTextMax)), text.size());
  }
  return printable(text);
}

/// What differs between two shown definitions, among fields that a document can name.
std::vector<FieldChange> differences(const object& before, const object& after) {
  constexpr std::array<std::string_view, 13> kNotSaid{"id",
                                                      "source_id",
                                                      "is_active",
                                                      "health",
                                                      "health_since",
                                                      "health_reason",
                                                      "revision",
                                                      "created_at",
                                                      "signing_secrets",
                                                      "deleting",
                                                      "updated_at",
                                                      "managed_by",
                                                      "script_version"};
  std::vector<FieldChange> out;
  for (const auto& field : after) {
    const std::string_view name = field.key();
    if (std::ranges::find(kNotSaid, name) != kNotSaid.end()) continue;
    const auto* old = before.if_contains(name);
    if (old && *old == field.value()) continue;
    out.push_back(
        {std::string(name), old ? std::optional(shown(*old)) : std::nullopt, shown(field.value())});
  }
  return out;
}

/// What a new thing says, among the fields that were named.
std::vector<FieldChange> additions(const object& after, const object& wanted) {
  std::vector<FieldChange> out;
  for (const auto& field : after) {
    if (!wanted.contains(field.key())) continue;
    out.push_back({std::string(field.key()), std::nullopt, shown(field.value())});
  }
  return out;
}

std::unexpected<Error> strange_answer(std::string_view what, const Error& error) {
  return fail(errc::bad_answer,
              fmt::format("{}: the server shows it in a form that this version does not know ({}); "
                          "use the server's version of grapnel",
                          what, error.message()));
}

Result<model::Source> read_source(const object& shown_source, const object& wanted) {
  model::Source out;
  const auto patch = model::parse_source_patch(only(shown_source, wanted, {"slug", "name"}));
  if (!patch) return fail(patch.error());
  if (auto applied = model::apply(*patch, out); !applied) return fail(applied.error());
  return out;
}

/// Without headers, whose secret values are shown cut.
Result<model::Action> read_action(const object& shown_action, const object& wanted) {
  model::Action out;
  object fields =
      only(shown_action, wanted, {"name", "type", "target_url", "state", "secret_headers"});
  fields.erase("headers");
  fields.erase("is_active");
  const auto patch = model::parse_action_patch(fields);
  if (!patch) return fail(patch.error());
  if (auto applied = model::apply(*patch, out); !applied) return fail(applied.error());
  return out;
}

class Planner {
 public:
  Planner(const std::vector<CurrentSource>& current, const PlanOptions& options)
      : current_(current), options_(options) {}

  Result<> source(const WantedSource& wanted);
  void prune(const Manifest& manifest);
  Result<Plan> finish() &&;

 private:
  Result<> create_source(const WantedSource& wanted);
  Result<> change_source(const WantedSource& wanted, const object& current);
  Result<> create_action(const WantedSource& source, const WantedAction& wanted);
  Result<> change_action(const WantedSource& source, const WantedAction& wanted,
                         const object& current);
  void prune_actions(const WantedSource& wanted, const CurrentSource& current);
  bool is_ours(const object& current) const { return field_text(current, "managed_by") == "apply"; }
  void check_owner(const std::string& title, const std::string& place, const object& current);

  const std::vector<CurrentSource>& current_;
  PlanOptions options_;
  Plan plan_;
  std::vector<Step> removals_;
  std::vector<std::string> conflicts_;
};

void Planner::check_owner(const std::string& title, const std::string& place,
                          const object& current) {
  if (is_ours(current) || options_.force) return;
  conflicts_.push_back(
      fmt::format("{}: {} exists and is managed by {}; leave it out, or take it "
                  "over with --force",
                  place, title, field_text(current, "managed_by")));
}

Result<> Planner::create_source(const WantedSource& wanted) {
  Step step{.what = Step::What::create,
            .source = wanted.slug,
            .document = wanted.fields,
            .secrets = wanted.secrets,
            .place = wanted.place};
  step.document["slug"] = wanted.slug;
  if (!step.document.contains("name")) step.document["name"] = wanted.slug;
  model::Source after;
  const auto patch = model::parse_source_patch(step.document);
  if (!patch) return fail(patch.error());
  if (auto applied = model::apply(*patch, after); !applied) return applied;
  step.changes = additions(model::to_json(after), step.document);
  for (const auto& field : wanted.secrets) {
    step.changes.push_back({std::string(field.key()), std::nullopt, "(as given)"});
  }
  plan_.steps.push_back(std::move(step));
  return {};
}

Result<> Planner::change_source(const WantedSource& wanted, const object& current) {
  Step step{.source = wanted.slug, .place = wanted.place};
  check_owner(step.title(), wanted.place, current);
  const auto before = read_source(current, wanted.fields);
  if (!before) return strange_answer(step.title(), before.error());
  model::Source after = *before;
  const auto patch = model::parse_source_patch(wanted.fields);
  if (!patch) return fail(patch.error());
  if (auto applied = model::apply(*patch, after); !applied) return applied;
  step.changes = differences(model::to_json(*before), model::to_json(after));
  for (const auto& change : step.changes) {
    if (const auto* given = wanted.fields.if_contains(change.field)) {
      step.document[change.field] = *given;
    }
  }
  // Another provider needs its own secrets; otherwise they are what they were.
  if (options_.rotate_secrets || step.document.contains("provider")) {
    step.secrets = wanted.secrets;
    for (const auto& field : wanted.secrets) {
      step.changes.push_back({std::string(field.key()), "(unknown)", "(as given)"});
    }
  }
  if (!is_ours(current))
    step.changes.push_back({"managed_by", field_text(current, "managed_by"), "apply"});
  if (!step.changes.empty()) step.what = Step::What::change;
  plan_.steps.push_back(std::move(step));
  return {};
}

Result<> Planner::create_action(const WantedSource& source, const WantedAction& wanted) {
  Step step{.what = Step::What::create,
            .source = source.slug,
            .action = wanted.name,
            .document = wanted.fields,
            .signing_secret = wanted.signing_secret,
            .place = source.place};
  step.document["name"] = wanted.name;
  model::Action after;
  const auto patch = model::parse_action_patch(step.document);
  if (!patch) return fail(patch.error());
  if (auto applied = model::apply(*patch, after); !applied) return applied;
  step.changes = additions(model::to_json(after), step.document);
  if (after.type == model::kWebhook) {
    step.changes.push_back({"signing_secret", std::nullopt,
                            wanted.signing_secret ? "(as given)" : "(the server makes one)"});
  }
  plan_.steps.push_back(std::move(step));
  return {};
}

Result<> Planner::change_action(const WantedSource& source, const WantedAction& wanted,
                                const object& current) {
  Step step{.source = source.slug, .action = wanted.name, .place = source.place};
  check_owner(step.title(), source.place, current);
  const auto before = read_action(current, wanted.fields);
  if (!before) return strange_answer(step.title(), before.error());
  model::Action after = *before;
  const auto patch = model::parse_action_patch(wanted.fields);
  if (!patch) return fail(patch.error());
  if (auto applied = model::apply(*patch, after); !applied) return applied;
  object shown_before = model::to_json(*before);
  const object shown_after = model::to_json(after);
  // Header values are compared as they are shown: a secret one by its cut form.
  shown_before["headers"] = wanted.fields.contains("headers") && current.contains("headers")
                                ? current.at("headers")
                                : shown_after.at("headers");
  step.changes = differences(shown_before, shown_after);
  for (const auto& change : step.changes) {
    // `is_active` is another way to say `state`.
    const std::string_view name =
        wanted.fields.contains(change.field) ? std::string_view(change.field) : "is_active";
    if (wanted.fields.contains(name)) step.document[name] = wanted.fields.at(name);
  }
  if (options_.rotate_secrets && wanted.fields.contains("headers")) {
    step.document["headers"] = wanted.fields.at("headers");
  }
  if (options_.rotate_secrets && wanted.signing_secret) {
    step.signing_secret = wanted.signing_secret;
    step.changes.push_back({"signing_secret", "(unknown)", "(as given, rotated in)"});
  }
  if (!is_ours(current))
    step.changes.push_back({"managed_by", field_text(current, "managed_by"), "apply"});
  const bool is_change = !step.changes.empty() || !step.document.empty();
  if (is_change) step.what = Step::What::change;
  plan_.steps.push_back(std::move(step));
  return {};
}

Result<> Planner::source(const WantedSource& wanted) {
  const auto found = std::ranges::find_if(current_, [&](const CurrentSource& other) {
    return field_text(other.source, "slug") == wanted.slug;
  });
  const bool is_new = found == current_.end();
  auto result = is_new ? create_source(wanted) : change_source(wanted, found->source);
  if (!result) return result;
  for (const auto& action : wanted.actions) {
    const object* current = nullptr;
    if (!is_new) {
      const auto at = std::ranges::find_if(found->actions, [&](const object& other) {
        return field_text(other, "name") == action.name;
      });
      if (at != found->actions.end()) current = &*at;
    }
    result = current ? change_action(wanted, action, *current) : create_action(wanted, action);
    if (!result) return result;
  }
  if (!is_new && options_.prune) prune_actions(wanted, *found);
  return {};
}

void Planner::prune_actions(const WantedSource& wanted, const CurrentSource& current) {
  for (const auto& action : current.actions) {
    const std::string name = field_text(action, "name");
    const bool is_listed = std::ranges::any_of(
        wanted.actions, [&](const WantedAction& other) { return other.name == name; });
    if (is_listed || !is_ours(action)) continue;
    removals_.push_back({.what = Step::What::remove, .source = wanted.slug, .action = name});
  }
}

void Planner::prune(const Manifest& manifest) {
  if (!options_.prune) return;
  for (const auto& current : current_) {
    const std::string slug = field_text(current.source, "slug");
    const bool is_listed = std::ranges::any_of(
        manifest.sources, [&](const WantedSource& wanted) { return wanted.slug == slug; });
    if (is_listed || !is_ours(current.source)) continue;
    for (const auto& action : current.actions) {
      if (is_ours(action) || options_.force) continue;
      conflicts_.push_back(fmt::format(
          "source/{} is no longer listed, but its action '{}' is managed by {}; delete that first, "
          "or prune with --force",
          slug, field_text(action, "name"), field_text(action, "managed_by")));
    }
    removals_.push_back({.what = Step::What::remove, .source = slug});
  }
}

Result<Plan> Planner::finish() && {
  if (!conflicts_.empty()) {
    return fail(errc::conflict, fmt::format("{}", fmt::join(conflicts_, "\n")));
  }
  std::ranges::move(removals_, std::back_inserter(plan_.steps));
  return std::move(plan_);
}

}  // namespace

std::string Step::title() const {
  return printable(action.empty() ? fmt::format("source/{}", source)
                                  : fmt::format("action/{}/{}", source, action));
}

int Plan::count(Step::What what) const {
  return static_cast<int>(
      std::ranges::count_if(steps, [what](const Step& step) { return step.what == what; }));
}

Result<Plan> make_plan(const Manifest& manifest, const std::vector<CurrentSource>& current,
                       const PlanOptions& options) {
  Planner planner(current, options);
  for (const auto& wanted : manifest.sources) {
    if (auto planned = planner.source(wanted); !planned) return fail(planned.error());
  }
  planner.prune(manifest);
  return std::move(planner).finish();
}

}  // namespace grapnel::cli
