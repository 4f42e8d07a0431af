// POST /webhooks/{source}: the hot path. Its answers are built without a JSON library.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "async/task.h"
#include "model/http.h"
#include "pipeline/ingest.h"

namespace grapnel::api {

/// The slug of "/webhooks/{slug}", still encoded (slugs need no encoding); nothing for other paths.
std::optional<std::string_view> webhook_slug(std::string_view path);

std::variant<model::BodyAllowance, model::HttpResponse> admit_webhook(
    pipeline::Ingest& ingest, std::string_view slug, const model::HttpRequest& head);

async::Task<model::HttpResponse> take_webhook(pipeline::Ingest& ingest, std::string slug,
                                              model::HttpRequest request);

}  // namespace grapnel::api
