#include "surface/api/owner.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "model/texts.h"

namespace grapnel::api {

Answer<Actor> read_actor(const Call& call) {
  Actor actor;
  if (const auto owner = model::find_header(call.request.headers, kOwnerHeader)) {
    const auto parsed = model::from_text<model::ManagedBy>(*owner);
    if (!parsed || *parsed == model::ManagedBy::crd) {
      return refuse(400, "invalid", fmt::format("{}: expected api or apply", kOwnerHeader));
    }
    actor.as = *parsed;
  }
  if (const auto force = call.query.find("force")) {
    if (*force != "true" && *force != "false") {
      return refuse(400, "invalid", "force: expected true or false");
    }
    if (*force == "true") actor.force = Force::yes;
  }
  return actor;
}

std::optional<model::HttpResponse> refuse_other_owner(const Actor& actor, model::ManagedBy owner,
                                                      std::string_view what,
                                                      std::string_view name) {
  if (actor.as == owner || actor.force == Force::yes) return std::nullopt;
  return to_answer(Problem{
      409,
      "other-owner",
      fmt::format(
          "{} '{}' is managed by {}: change it there, or add ?force=true (grapnel apply sends "
          "'{}: apply')",
          what, valid_utf8(name), model::to_text(owner), kOwnerHeader),
      {}});
}

model::ManagedBy owner_after(const Actor& actor, model::ManagedBy owner) {
  return actor.as == model::ManagedBy::apply ? model::ManagedBy::apply : owner;
}

std::optional<model::HttpResponse> refuse_open_work(const Actor& actor, std::int64_t open,
                                                    std::string_view what, std::string_view name) {
  if (actor.as != model::ManagedBy::apply || actor.force == Force::yes || open == 0) {
    return std::nullopt;
  }
  return to_answer(Problem{
      409,
      "open-work",
      fmt::format("{} '{}' has {} deliveries or held events open, which its deletion would cancel: "
                  "force it, or wait",
                  what, valid_utf8(name), open),
      {}});
}

}  // namespace grapnel::api
