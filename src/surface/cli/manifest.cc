#include "surface/cli/manifest.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "model/definition_json.h"
#include "model/json_reader.h"
#include "model/limits.h"
#include "model/transform.h"
#include "surface/cli/errors.h"
#include "surface/cli/files.h"
#include "surface/cli/limits.h"
#include "surface/cli/yaml.h"

namespace grapnel::cli {
namespace {

using boost::json::object;
using boost::json::value;

/// A word of the manifest inside a sentence, no longer than is worth reading.
std::string quoted(std::string_view text) {
  return fmt::format("'{}'", text.substr(0, model::kEchoBytesMax));
}

class ManifestReader {
 public:
  ManifestReader(const Variables& variables, Manifest& out) : variables_(variables), out_(out) {}

  void read(const ManifestFile& file);
  Result<> result() const;

 private:
  struct Place {
    const ManifestFile& file;
    const Lines& lines;
  };

  void read_document(const Place& place, const value& document);
  void read_source(const Place& place, const std::string& path, const value& given);
  void read_actions(const Place& place, const std::string& path, const value& given,
                    WantedSource& source);
  void read_action(const Place& place, const std::string& path, const value& given,
                   WantedSource& source);
  std::optional<std::string> identity(const Place& place, const std::string& path,
                                      const object& fields, std::string_view name);
  void resolve(const Place& place, const std::string& path, value& field, std::size_t bytes_max);
  void resolve_script(const Place& place, const std::string& path, object& fields);
  void resolve_secrets(const Place& place, const std::string& path, object& fields);
  void resolve_headers(const Place& place, const std::string& path, value& headers);
  void wrong(const Place& place, const std::string& path, std::string_view sentence);
  /// Several lines "field: sentence" about the value at `path`.
  void wrong_inside(const Place& place, const std::string& path, std::string_view lines);

  const Variables& variables_;
  Manifest& out_;
  std::map<std::string, std::string> slugs_;  ///< where each stands
  std::vector<std::string> mistakes_;
};

void ManifestReader::wrong(const Place& place, const std::string& path, std::string_view sentence) {
  mistakes_.push_back(fmt::format("{}:{}: {}{}{}", place.file.name, place.lines.of(path), path,
                                  path.empty() ? "" : ": ", sentence));
}

void ManifestReader::wrong_inside(const Place& place, const std::string& path,
                                  std::string_view lines) {
  mistakes_.push_back(with_lines(lines, place.file.name, place.lines, path));
}

Result<> ManifestReader::result() const {
  if (mistakes_.empty()) return {};
  const std::size_t count = std::min(mistakes_.size(), model::kMistakesMax);
  std::string text = fmt::format(
      "{}",
      fmt::join(mistakes_.begin(), mistakes_.begin() + static_cast<std::ptrdiff_t>(count), "\n"));
  if (count < mistakes_.size()) {
    text += fmt::format("\n… and {} more", mistakes_.size() - count);
  }
  return fail(errc::malformed, std::move(text));
}

void ManifestReader::read(const ManifestFile& file) {
  auto documents = parse_yaml(file.text, file.name);
  if (!documents) {
    mistakes_.push_back(documents.error().context);
    return;
  }
  for (const auto& document : *documents) {
    if (!document.value.is_null()) read_document({file, document.lines}, document.value);
  }
}

void ManifestReader::read_document(const Place& place, const value& document) {
  const auto* fields = document.if_object();
  const auto* sources = fields ? fields->if_contains("sources") : nullptr;
  if (!sources || !sources->is_array()) {
    wrong(place, "", "expected a list 'sources:' (docs/CLI.md shows the form)");
    return;
  }
  for (const auto& field : *fields) {
    if (field.key() == "sources") continue;
    wrong(place, std::string(field.key().substr(0, model::kEchoBytesMax)),
          "unknown field; a document holds 'sources:' alone");
  }
  for (std::size_t i = 0; i < sources->get_array().size(); ++i) {
    read_source(place, fmt::format("sources[{}]", i), sources->get_array()[i]);
  }
}

std::optional<std::string> ManifestReader::identity(const Place& place, const std::string& path,
                                                    const object& fields, std::string_view name) {
  const auto* text = fields.if_contains(name);
  if (!text || !text->is_string() || text->get_string().empty()) {
    wrong(place, path, fmt::format("expected {}, by which apply finds it again", name));
    return std::nullopt;
  }
  return std::string(text->get_string());
}

void ManifestReader::read_source(const Place& place, const std::string& path, const value& given) {
  const auto* fields = given.if_object();
  if (!fields) return wrong(place, path, "expected a source: slug, name, actions, …");
  const auto slug = identity(place, path, *fields, "slug");
  if (!slug) return;
  WantedSource source{.slug = *slug,
                      .fields = *fields,
                      .place = fmt::format("{}:{}", place.file.name, place.lines.of(path))};
  source.fields.stable_erase("actions");
  resolve_script(place, path, source.fields);
  resolve_secrets(place, path, source.fields);
  if (auto patch = model::parse_source_patch(source.fields); !patch) {
    wrong_inside(place, path, patch.error().context);
  }
  source.fields.stable_erase("slug");
  for (const std::string_view name : {"secrets", "handshake_token"}) {
    const auto* secret = source.fields.if_contains(name);
    if (!secret) continue;
    source.secrets[name] = *secret;
    source.fields.stable_erase(name);
  }
  const auto [at, is_new] = slugs_.emplace(*slug, source.place);
  if (!is_new) {
    wrong(place, path + ".slug", fmt::format("{} stands at {} already", quoted(*slug), at->second));
  }
  if (const auto* actions = fields->if_contains("actions"); actions && !actions->is_null()) {
    read_actions(place, path + ".actions", *actions, source);
  }
  out_.sources.push_back(std::move(source));
}

void ManifestReader::read_actions(const Place& place, const std::string& path, const value& given,
                                  WantedSource& source) {
  const auto* list = given.if_array();
  if (!list) return wrong(place, path, "expected a list of actions");
  for (std::size_t i = 0; i < list->size(); ++i) {
    read_action(place, fmt::format("{}[{}]", path, i), (*list)[i], source);
  }
}

void ManifestReader::read_action(const Place& place, const std::string& path, const value& given,
                                 WantedSource& source) {
  const auto* fields = given.if_object();
  if (!fields) return wrong(place, path, "expected an action: name, target_url, …");
  const auto name = identity(place, path, *fields, "name");
  if (!name) return;
  const bool is_taken = std::ranges::any_of(
      source.actions, [&](const WantedAction& other) { return other.name == *name; });
  if (is_taken) {
    return wrong(place, path + ".name",
                 fmt::format("{} stands in this source already", quoted(*name)));
  }
  WantedAction action{*name, *fields, {}};
  const std::size_t mistakes_before = mistakes_.size();
  if (auto* secret = action.fields.if_contains("signing_secret")) {
    resolve(place, path + ".signing_secret", *secret, model::kSecretBytesMax);
  }
  if (auto* bundle = action.fields.if_contains("ca_bundle")) {
    resolve(place, path + ".ca_bundle", *bundle, kCaFileBytesMax);
  }
  resolve_script(place, path, action.fields);
  if (auto* headers = action.fields.if_contains("headers")) {
    resolve_headers(place, path + ".headers", *headers);
  }
  if (mistakes_.size() != mistakes_before) return;
  auto patch = model::parse_action_patch(action.fields);
  if (!patch) return wrong_inside(place, path, patch.error().context);
  const bool is_webhook = patch->type.value_or(std::string(model::kWebhook)) == model::kWebhook;
  if (is_webhook && !patch->target_url) {
    return wrong(place, path, "expected target_url, the http or https address to deliver to");
  }
  if (!is_webhook && patch->script_body.value_or("").empty()) {
    return wrong(place, path, "expected script_body, the script or {file: path}");
  }
  if (patch->signing_secret) {
    action.signing_secret = crypto::Secret::take(std::move(*patch->signing_secret));
  }
  action.fields.stable_erase("signing_secret");
  action.fields.stable_erase("name");
  source.actions.push_back(std::move(action));
}

/// Puts the text in the place of {env: NAME} or {file: path}; any other value stays as it is.
void ManifestReader::resolve(const Place& place, const std::string& path, value& field,
                             std::size_t bytes_max) {
  auto* reference = field.if_object();
  if (!reference) return;
  const auto text_of_field = [&](std::string_view name) -> std::optional<std::string> {
    const auto* named = reference->if_contains(name);
    if (reference->size() != 1 || !named || !named->is_string()) return std::nullopt;
    return std::string(named->get_string());
  };
  if (const auto name = text_of_field("env")) {
    auto text = variables_(*name);
    if (!text || text->empty()) {
      return wrong(place, path,
                   fmt::format("the environment variable {} is not set", quoted(*name)));
    }
    field = *text;
    return;
  }
  const auto file = text_of_field("file");
  if (!file) return wrong(place, path, "expected a text, {env: NAME} or {file: path}");
  const std::string resolved = beside(place.file.name, *file);
  auto text =
      bytes_max > kSecretFileBytesMax ? read_file(resolved, bytes_max) : read_secret_file(resolved);
  if (!text) return wrong(place, path, text.error().context);
  field = *text;
}

void ManifestReader::resolve_script(const Place& place, const std::string& path, object& fields) {
  if (auto* script = fields.if_contains("script_body")) {
    resolve(place, path + ".script_body", *script, kScriptFileBytesMax);
  }
}

void ManifestReader::resolve_secrets(const Place& place, const std::string& path, object& fields) {
  if (auto* token = fields.if_contains("handshake_token")) {
    resolve(place, path + ".handshake_token", *token, model::kInboundSecretBytesMax);
  }
  auto* secrets = fields.if_contains("secrets");
  if (!secrets || !secrets->is_array()) return;
  auto& list = secrets->get_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    resolve(place, fmt::format("{}.secrets[{}]", path, i), list[i], model::kInboundSecretBytesMax);
  }
}

void ManifestReader::resolve_headers(const Place& place, const std::string& path, value& headers) {
  if (auto* fields = headers.if_object()) {
    for (auto& field : *fields) {
      resolve(place, fmt::format("{}.{}", path, std::string_view(field.key())), field.value(),
              model::kSecretBytesMax);
    }
  } else if (auto* list = headers.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      auto* header = (*list)[i].if_object();
      auto* text = header ? header->if_contains("value") : nullptr;
      if (text) resolve(place, fmt::format("{}[{}].value", path, i), *text, model::kSecretBytesMax);
    }
  }
}

}  // namespace

Result<Manifest> read_manifest(const std::vector<ManifestFile>& files, const Variables& variables) {
  Manifest out;
  ManifestReader reader(variables, out);
  for (const auto& file : files) reader.read(file);
  if (auto result = reader.result(); !result) return fail(std::move(result.error()));
  return out;
}

}  // namespace grapnel::cli
