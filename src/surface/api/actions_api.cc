#include "surface/api/actions_api.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <array>

#include "base/units.h"
#include "base/utf8.h"
#include "crypto/compare.h"
#include "model/action_json.h"
#include "model/errors.h"
#include "model/json_reader.h"
#include "model/stored_json.h"
#include "model/texts.h"
#include "model/transform.h"
#include "surface/api/action_secrets.h"
#include "surface/api/answer.h"
#include "surface/api/limits.h"
#include "surface/api/lookup.h"
#include "surface/api/owner.h"
#include "surface/api/page.h"
#include "surface/api/scripts_api.h"

namespace grapnel::api {
namespace {

using model::Action;
using model::HttpResponse;

HttpResponse action_answer(const Ports& ports, const Call& call, int status, const Action& action,
                           const crypto::Secret* shown_once = nullptr) {
  auto out = model::to_json(action);
  if (shown_once != nullptr) {
    show_once(*shown_once, out);
  } else {
    show_public_key(ports, action, out);
  }
  return tagged_answer(call, status, out, action.revision);
}

bool is_taken(const model::SourceEntry& entry, const Action& action) {
  return std::ranges::any_of(entry.actions, [&action](const model::ActionPtr& other) {
    return other->id != action.id && !other->deleting && !model::is_transform(*other) &&
           other->name == action.name;
  });
}

HttpResponse name_taken(std::string_view name) {
  return to_answer(Problem{409,
                           "name-taken",
                           fmt::format("the source has an action '{}' already", valid_utf8(name)),
                           {}});
}

async::Task<HttpResponse> list_actions(const Ports&, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  std::vector<model::ActionPtr> all;
  for (const auto& action : (*entry)->actions) {
    if (!action->deleting && !model::is_transform(*action)) all.push_back(action);
  }
  auto page = take_page(call, std::move(all), [](const auto& action) { return action->id; });
  if (!page) co_return std::move(page.error());
  boost::json::array out;
  for (const auto& action : page->items) out.push_back(model::to_json(*action));
  auto answer = json_answer(200, out);
  if (!page->next.empty()) add_next(answer, call, page->next);
  co_return answer;
}

async::Task<HttpResponse> get_action(const Ports& ports, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  const auto action = find_action(**entry, call.params[1]);
  if (!action) co_return action.error();
  co_return action_answer(ports, call, 200, **action);
}

/// A target that no attempt could call is told when it is saved.
std::optional<HttpResponse> refuse_target(const Ports& ports, const Action& action) {
  if (action.type != model::kWebhook) return std::nullopt;
  if (const auto checked = ports.sender.check_url(action.target_url); !checked) {
    return to_answer({model::errc::malformed, "target_url: " + checked.error().message()});
  }
  return std::nullopt;
}

/// The first signing secret of a webhook, given or made; a script signs nothing.
Answer<crypto::Secret> give_secret(const Ports& ports, const model::ActionPatch& patch,
                                   Action& action) {
  if (action.type != model::kWebhook) {
    if (!patch.signing_secret) return crypto::Secret();
    return refuse({model::errc::malformed, "signing_secret: is for webhook actions only"});
  }
  auto secret = take_or_make_secret(ports, patch.signing_secret.value_or(""), action.schemes);
  if (!secret) return secret;
  if (auto refusal = refuse_unfit(*secret, action.schemes)) {
    return std::unexpected(std::move(*refusal));
  }
  auto sealed = replace_secrets(ports, *secret, action);
  if (!sealed) return std::unexpected(std::move(sealed.error()));
  return secret;
}

async::Task<HttpResponse> create_action(const Ports& ports, Call call) {
  const auto actor = read_actor(call);
  if (!actor) co_return actor.error();
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  const auto document = read_json(call);
  if (!document) co_return document.error();
  const auto patch = model::parse_action_patch(*document);
  if (!patch) co_return to_answer(patch.error());
  Action action{.id = ports.ids.make<model::ActionId>(), .source = (*entry)->source.id};
  action.managed_by = actor->as;
  action.health_since = ports.store.clock.now();
  action.target_revision = 1;
  if (const auto applied = model::apply(*patch, action); !applied) {
    co_return to_answer(applied.error());
  }
  if (auto refusal = refuse_target(ports, action)) co_return std::move(*refusal);
  if (auto refusal = co_await refuse_script(ports, nullptr, action.script)) {
    co_return std::move(*refusal);
  }
  const auto secret = give_secret(ports, *patch, action);
  if (!secret) co_return secret.error();
  if (is_taken(**entry, action)) co_return name_taken(action.name);
  const auto done = co_await ports.store.registry.commit({model::PutAction{action, 0}});
  if (!done && done.error().code == model::errc::conflict) {
    // The source went, or the name was taken, since the snapshot.
    const auto now = find_source(call, *ports.store.registry.snapshot(), call.params[0]);
    co_return now ? name_taken(action.name) : now.error();
  }
  if (!done) co_return to_answer(done.error());
  const bool shows = !secret->empty();
  auto answer =
      action_answer(ports, call, 201, *(*done)->find_action(action.id), shows ? &*secret : nullptr);
  answer.headers.push_back({"Location", fmt::format("/api/sources/{}/actions/{}",
                                                    (*entry)->source.slug, action.id.str())});
  co_return answer;
}

enum class OwnerRule : std::uint8_t {
  holds,
  waived,  ///< for what no definition says: health, and secrets that rotate
};

/// What one kind of change does to an action.
class Change {
 public:
  virtual ~Change() = default;
  virtual OwnerRule owner_rule() const { return OwnerRule::holds; }
  /// An answer refuses the change.
  virtual std::optional<HttpResponse> apply(const model::SourceEntry& entry, Action& action) = 0;
  /// Of the committed action.
  virtual HttpResponse answer(const Action& action) = 0;
};

/// Reads, changes and commits, anew when the action was changed meanwhile (health reports raise its
/// revision as well).
async::Task<HttpResponse> change_action(const Ports& ports, const Call& call, Change& change) {
  const auto actor = read_actor(call);
  if (!actor) co_return actor.error();
  for (int tries = 0; tries < kChangeTriesMax; ++tries) {
    const auto entry = find_source(call, *ports.store.registry.snapshot(), call.params[0]);
    if (!entry) co_return entry.error();
    const auto before = find_action(**entry, call.params[1]);
    if (!before) co_return before.error();
    if (auto refusal = check_if_match(call, (*before)->revision)) co_return std::move(*refusal);
    Action after = **before;
    if (change.owner_rule() == OwnerRule::holds) {
      auto refusal = refuse_other_owner(*actor, after.managed_by, "action", after.name);
      if (refusal) co_return std::move(*refusal);
      after.managed_by = owner_after(*actor, after.managed_by);
    }
    if (auto answer = change.apply(**entry, after)) co_return std::move(*answer);
    if (model::to_stored(after) == model::to_stored(**before)) co_return change.answer(**before);
    if (auto refusal = co_await refuse_script(ports, (*before)->script, after.script)) {
      co_return std::move(*refusal);
    }
    const model::ActionId id = after.id;
    const auto done = co_await ports.store.registry.commit(
        {model::PutAction{std::move(after), (*before)->revision}});
    if (done) {
      const auto committed = (*done)->find_action(id);
      co_return change.answer(committed ? *committed : **before);
    }
    if (done.error().code != model::errc::conflict) co_return to_answer(done.error());
  }
  co_return changed_meanwhile(call);
}

void start_afresh(const Ports& ports, Action& action) {
  ++action.target_revision;
  action.health = model::Health::ok;
  action.health_since = ports.store.clock.now();
  action.health_reason.clear();
}

class PatchChange final : public Change {
 public:
  PatchChange(const Ports& ports, const Call& call, model::ActionPatch patch)
      : ports_(ports), call_(call), patch_(std::move(patch)) {}

  std::optional<HttpResponse> apply(const model::SourceEntry& entry, Action& action) override {
    const std::string target = action.target_url;
    if (const auto applied = model::apply(patch_, action); !applied) {
      return to_answer(applied.error());
    }
    if (is_taken(entry, action)) return name_taken(action.name);
    if (action.target_url != target) {
      if (auto refusal = refuse_target(ports_, action)) return refusal;
      start_afresh(ports_, action);
    }
    auto newest = newest_secret(ports_, action);
    if (!newest) return std::move(newest.error());
    if (patch_.signing_secret &&
        !crypto::equal_constant_time(newest->reveal(), *patch_.signing_secret)) {
      auto given = take_or_make_secret(ports_, *patch_.signing_secret, action.schemes);
      if (!given) return std::move(given.error());
      auto sealed = replace_secrets(ports_, *given, action);
      if (!sealed) return std::move(sealed.error());
      newest = std::move(given);
    }
    if (!patch_.schemes && !patch_.signing_secret) return std::nullopt;
    return refuse_unfit(*newest, action.schemes);
  }
  HttpResponse answer(const Action& action) override {
    return action_answer(ports_, call_, 200, action);
  }

 private:
  const Ports& ports_;
  const Call& call_;
  model::ActionPatch patch_;
};

async::Task<HttpResponse> patch_action(const Ports& ports, Call call) {
  // Who may not see the source learns nothing about the document either.
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  const auto document = read_json(call);
  if (!document) co_return document.error();
  auto patch = model::parse_action_patch(*document);
  if (!patch) co_return to_answer(patch.error());
  PatchChange change(ports, call, std::move(*patch));
  co_return co_await change_action(ports, call, change);
}

class DeleteChange final : public Change {
 public:
  DeleteChange(const Ports& ports, const Actor& actor) : ports_(ports), actor_(actor) {}

  std::optional<HttpResponse> apply(const model::SourceEntry&, Action& action) override {
    action.deleting = true;
    const auto open = ports_.store.book.open_work(action.id).count();
    return refuse_open_work(actor_, open, "action", action.name);
  }
  HttpResponse answer(const Action&) override { return empty_answer(204); }

 private:
  const Ports& ports_;
  Actor actor_;
};

async::Task<HttpResponse> delete_action(const Ports& ports, Call call) {
  const auto actor = read_actor(call);
  if (!actor) co_return actor.error();
  DeleteChange change(ports, *actor);
  co_return co_await change_action(ports, call, change);
}

class EnableChange final : public Change {
 public:
  EnableChange(const Ports& ports, const Call& call) : ports_(ports), call_(call) {}

  OwnerRule owner_rule() const override { return OwnerRule::waived; }

  std::optional<HttpResponse> apply(const model::SourceEntry&, Action& action) override {
    start_afresh(ports_, action);
    return std::nullopt;
  }
  HttpResponse answer(const Action& action) override {
    return action_answer(ports_, call_, 200, action);
  }

 private:
  const Ports& ports_;
  const Call& call_;
};

async::Task<HttpResponse> enable_action(const Ports& ports, Call call) {
  EnableChange change(ports, call);
  co_return co_await change_action(ports, call, change);
}

struct RotationWish {
  std::string signing_secret;
  Millis overlap = kOverlapDefault;
  std::optional<Time> primary_from;
};

Answer<RotationWish> read_rotation(const Call& call) {
  RotationWish wish;
  if (call.request.body.empty()) return wish;
  const auto document = read_json(call);
  if (!document) return std::unexpected(document.error());
  model::Mistakes mistakes;
  model::ObjectReader fields(*document, "", mistakes);
  const auto secret = fields.text("signing_secret", 1, model::kSecretBytesMax, model::Echo::kind);
  wish.signing_secret = secret.value_or("");
  wish.overlap = fields.duration("overlap", Millis{0}, kOverlapMax).value_or(kOverlapDefault);
  if (const auto text = fields.text("primary_from", 1, model::kNameBytesMax)) {
    const auto time = parse_rfc3339(*text);
    if (!time) mistakes.add("primary_from", "expected a time such as 2026-01-02T03:04:05Z");
    if (time) wish.primary_from = *time;
  }
  fields.finish();
  if (mistakes.any()) return refuse(mistakes.error().error());
  return wish;
}

class RotateChange final : public Change {
 public:
  RotateChange(const Ports& ports, const Call& call, RotationWish wish)
      : ports_(ports), call_(call), wish_(std::move(wish)) {}

  OwnerRule owner_rule() const override { return OwnerRule::waived; }

  std::optional<HttpResponse> apply(const model::SourceEntry&, Action& action) override {
    auto secret = take_or_make_secret(ports_, wish_.signing_secret, action.schemes);
    if (!secret) return std::move(secret.error());
    if (auto refusal = refuse_unfit(*secret, action.schemes)) return refusal;
    secret_ = std::move(*secret);
    if (is_newest_secret(ports_, secret_, action)) return std::nullopt;
    const Time expires = ports_.store.clock.now() + wish_.overlap;
    const Time primary = std::min(wish_.primary_from.value_or(expires), expires);
    auto rotated = rotate_secrets(ports_, secret_, {expires, primary}, action);
    if (!rotated) return std::move(rotated.error());
    return std::nullopt;
  }
  HttpResponse answer(const Action& action) override {
    return action_answer(ports_, call_, 200, action, &secret_);
  }

 private:
  const Ports& ports_;
  const Call& call_;
  RotationWish wish_;
  crypto::Secret secret_;
};

async::Task<HttpResponse> rotate_secret(const Ports& ports, Call call) {
  const auto entry = find_source(call, *call.snapshot, call.params[0]);
  if (!entry) co_return entry.error();
  auto wish = read_rotation(call);
  if (!wish) co_return std::move(wish.error());
  RotateChange change(ports, call, std::move(*wish));
  co_return co_await change_action(ports, call, change);
}

constexpr std::string_view kActions = "/api/sources/{source}/actions";
constexpr std::string_view kAction = "/api/sources/{source}/actions/{action}";
constexpr auto kRead = model::KeyScope::read;
constexpr auto kWrite = model::KeyScope::write;

constexpr std::array kRoutes{
    Route{"GET", kActions, "limit cursor", kRead, Reach::by_source, BodyUse::none, list_actions},
    Route{"POST", kActions, "force", kWrite, Reach::by_source, BodyUse::json, create_action},
    Route{"GET", kAction, "", kRead, Reach::by_source, BodyUse::none, get_action},
    Route{"PATCH", kAction, "force", kWrite, Reach::by_source, BodyUse::json, patch_action},
    Route{"DELETE", kAction, "force", kWrite, Reach::by_source, BodyUse::none, delete_action},
    Route{"POST", "/api/sources/{source}/actions/{action}/enable", "", kWrite, Reach::by_source,
          BodyUse::none, enable_action},
    Route{"POST", "/api/sources/{source}/actions/{action}/rotate-secret", "", kWrite,
          Reach::by_source, BodyUse::json, rotate_secret},
};

}  // namespace

std::span<const Route> action_routes() { return kRoutes; }

}  // namespace grapnel::api
