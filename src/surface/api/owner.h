// Who may change a definition: each has one owner (`managed_by`). The API changes what the API
// made; what `grapnel apply` made is changed by apply (which says so in a header), or with
// ?force=true.
#pragma once

#include <string_view>

#include "model/source.h"
#include "surface/api/router.h"

namespace grapnel::api {

/// "api" or "apply"; what the CLI's apply sends with each change.
inline constexpr std::string_view kOwnerHeader = "X-Grapnel-Managed-By";

enum class Force : std::uint8_t { no, yes };

struct Actor {
  model::ManagedBy as = model::ManagedBy::api;
  Force force = Force::no;
};

/// 400 for texts that are neither.
Answer<Actor> read_actor(const Call& call);

/// 409 when the definition is somebody else's. `what` is "source" or "action".
std::optional<model::HttpResponse> refuse_other_owner(const Actor& actor, model::ManagedBy owner,
                                                      std::string_view what, std::string_view name);

/// Who owns it after the change: apply takes over what it was made to change by force; a person's
/// forced change leaves the owner, who will mend it.
model::ManagedBy owner_after(const Actor& actor, model::ManagedBy owner);

/// Pruning (a deletion by apply) needs force where work is open: 409 with the count.
std::optional<model::HttpResponse> refuse_open_work(const Actor& actor, std::int64_t open,
                                                    std::string_view what, std::string_view name);

}  // namespace grapnel::api
