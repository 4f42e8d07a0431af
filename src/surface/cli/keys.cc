#include "surface/cli/keys.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "surface/cli/files.h"
#include "surface/cli/limits.h"
#include "surface/cli/lists.h"

namespace grapnel::cli {
namespace {

using boost::json::object;

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
  output.result(*made, shown(*made, "key"));
  co_return Result<>{};
}

}  // namespace

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
      output.result(object{{"id", options.name}, {"deleted", true}},
                    fmt::format("key {} is deleted", printable(options.name)));
      break;
    }
  }
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

}  // namespace grapnel::cli
