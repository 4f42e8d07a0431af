#include "surface/cli/verify.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "crypto/base64.h"
#include "model/json_text.h"
#include "model/limits.h"
#include "signature/explain.h"
#include "signature/provider.h"
#include "surface/cli/errors.h"
#include "surface/cli/files.h"
#include "surface/cli/limits.h"
#include "surface/cli/sheet.h"

namespace grapnel::cli {
namespace {

namespace json = boost::json;

/// "Name: value" as a line of HTTP has it.
Result<model::Header> parse_header(std::string_view line) {
  const auto colon = line.find(':');
  model::Header header{std::string(line.substr(0, colon)), ""};
  if (colon != std::string_view::npos) {
    const auto start = line.find_first_not_of(" \t", colon + 1);
    if (start != std::string_view::npos) header.value = line.substr(start);
    while (header.value.ends_with(' ') || header.value.ends_with('\t')) header.value.pop_back();
  }
  if (colon == std::string_view::npos || !model::is_header_name(header.name) ||
      !model::is_header_value(header.value)) {
    return fail(errc::malformed, fmt::format("expected 'Name: value', given '{}'",
                                             printable(line.substr(0, model::kEchoBytesMax))));
  }
  return header;
}

/// An optional request line, headers, an empty line, and all that follows as the body. Lines may
/// end with CR LF.
Result<model::HttpRequest> parse_captured(std::string_view text) {
  model::HttpRequest out{.method = "POST"};
  bool is_first = true;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) {
      out.body = text;
      break;
    }
    const auto space = line.find(' ');
    if (std::exchange(is_first, false) && line.ends_with("HTTP/1.1") &&
        space != std::string_view::npos) {
      out.method = line.substr(0, space);
      const std::string_view rest = line.substr(space + 1);
      out.target = rest.substr(0, rest.find(' '));
      continue;
    }
    auto header = parse_header(line);
    if (!header) return fail(std::move(header.error()));
    out.headers.push_back(std::move(*header));
  }
  return out;
}

Result<model::HttpRequest> read_captured(const Environment& environment,
                                         const VerifyOptions& options) {
  model::HttpRequest out{.method = "POST"};
  if (options.file) {
    const auto text = options.file == "-" ? environment.read_standard_input()
                                          : read_file(*options.file, kBodyFileBytesMax);
    if (!text) return fail(text.error());
    auto parsed = parse_captured(*text);
    if (!parsed) return parsed;
    out = std::move(*parsed);
  }
  for (const auto& line : options.headers) {
    auto header = parse_header(line);
    if (!header) return fail(errc::usage, "--header: " + header.error().context);
    out.headers.push_back(std::move(*header));
  }
  if (options.body_file) {
    auto body = read_file(*options.body_file, kBodyFileBytesMax);
    if (!body) return fail(body.error());
    out.body = std::move(*body);
  }
  if (options.url) out.target = *options.url;
  out.secure = true;
  return out;
}

Result<Time> read_time(const Environment& environment, const VerifyOptions& options) {
  const Time now = environment.clock.wall();
  if (!options.at) return now;
  if (const auto time = parse_rfc3339(*options.at)) return *time;
  if (const auto ago = parse_duration(*options.at)) return now - *ago;
  return fail(errc::usage, "--at: expected a time such as 2026-01-02T03:04:05Z, or a duration");
}

Result<crypto::Secret> read_secret(const Environment& environment, const VerifyOptions& options) {
  std::optional<std::string> text;
  if (options.secret_env) {
    text = environment.variable(*options.secret_env);
    if (!text || text->empty()) {
      return fail(errc::usage, fmt::format("--secret-env: {} is not set", *options.secret_env));
    }
  } else if (options.secret_file) {
    if (options.secret_file == "-" && options.file == "-") {
      return fail(errc::usage, "standard input has either the request or the secret");
    }
    auto read = options.secret_file == "-" ? environment.read_standard_input()
                                           : read_secret_file(*options.secret_file);
    if (!read) return fail(read.error());
    text = std::move(*read);
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  } else {
    return fail(errc::usage, "give the secret with --secret-env or --secret-file");
  }
  return crypto::Secret::take(std::move(*text));
}

std::string text_at(const json::value& document, std::string_view pointer) {
  boost::system::error_code error;
  const auto* found = document.find_pointer(std::string(pointer), error);
  if (!found || found->is_object() || found->is_array() || found->is_null()) return "";
  return found->is_string() ? std::string(found->get_string()) : model::json_text(*found);
}

void show_signed(Sheet& sheet, const json::object& why) {
  const auto* text = why.if_contains("signed");
  if (!text) return;
  Sheet part = sheet.section(fmt::format("Signed text, {} bytes, sha256 {}", shown(*text, "bytes"),
                                         shown(*text, "sha256")));
  for (const auto& piece : text->at("parts").as_array()) {
    const std::string value = shown(piece, "text");
    part.field(shown(piece, "part"), value.empty()
                                         ? fmt::format("{} bytes, sha256 {}", shown(piece, "bytes"),
                                                       shown(piece, "sha256"))
                                         : value);
  }
}

void show_lists(Sheet& sheet, const json::object& why) {
  if (const auto* headers = why.if_contains("headers")) {
    Sheet part = sheet.section("Headers that count");
    for (const auto& header : headers->as_array()) {
      const std::string values = shown(header, "values");
      part.field(shown(header, "name"),
                 header.at("values").as_array().empty() ? "missing" : values);
    }
  }
  if (const auto* secrets = why.if_contains("secrets")) {
    Sheet part = sheet.section("Signatures of the secrets");
    for (const auto& secret : secrets->as_array()) {
      part.field(shown(secret, "secret"),
                 fmt::format("begins {}, {}", shown(secret, "signature_begins"),
                             shown(secret, "matches") == "true" ? "matches" : "does not match"));
    }
  }
}

Result<> report(const Output& output, const json::value& document) {
  const json::object& why = document.as_object();
  const bool verified = shown(document, "verified") == "true";
  if (!output.is_for_people()) {
    output.document(document);
  } else {
    Sheet sheet(output);
    sheet.painted("Verified", verified ? "yes" : "no", verified ? Tone::good : Tone::bad);
    for (const auto& [label, field] :
         {std::pair{"Reason", "reason"}, std::pair{"Detail", "detail"},
          std::pair{"By secret", "matching_secret"}, std::pair{"Method", "scheme.method"},
          std::pair{"Template", "scheme.signed"}, std::pair{"Signatures", "signatures"},
          std::pair{"Body", "body.sha256"}, std::pair{"Time", "timestamp.given"},
          std::pair{"Time checked", "timestamp.checked_at"},
          std::pair{"Tolerance", "timestamp.tolerance"},
          std::pair{"About the time", "timestamp.detail"}, std::pair{"Sent", "sent_fingerprint"},
          std::pair{"The source has", "secret_fingerprints"}}) {
      const std::string text = shown(document, field);
      if (!text.empty()) sheet.field(label, text);
    }
    show_lists(sheet, why);
    show_signed(sheet, why);
    sheet.print();
  }
  if (verified) return {};
  return fail(errc::refused, fmt::format("does not verify: {}", shown(document, "reason")));
}

}  // namespace

async::Task<Result<>> verify_here(const Environment& environment, const Output& output,
                                  VerifyOptions options) {
  if (!options.provider) co_return fail(errc::usage, "give --source, or --provider and a secret");
  const auto request = read_captured(environment, options);
  if (!request) co_return fail(request.error());
  const auto at = read_time(environment, options);
  if (!at) co_return fail(at.error());
  auto scheme = signature::scheme_of({.provider = *options.provider});
  if (!scheme) co_return fail(errc::usage, "--" + scheme.error().context);
  auto secret = read_secret(environment, options);
  if (!secret) co_return fail(secret.error());
  std::vector<crypto::Secret> secrets;
  secrets.push_back(std::move(*secret));
  const auto verifier = signature::Verifier::make(std::move(*scheme), std::move(secrets));
  if (!verifier) co_return fail(errc::usage, verifier.error().message());
  const auto look_up = [&](std::string_view pointer) -> std::optional<std::string> {
    boost::system::error_code error;
    const auto body = json::parse(request->body, error);
    const std::string text = error ? "" : text_at(body, pointer);
    return text.empty() ? std::nullopt : std::optional(text);
  };
  co_return report(output, signature::explain(*verifier, *request,
                                              {.public_url = options.url.value_or(""),
                                               .now = *at,
                                               .look_up = look_up,
                                               .before_piece = {}},
                                              {"the one given"}));
}

async::Task<Result<>> verify_there(const Environment& environment, const Output& output,
                                   Client& client, VerifyOptions options) {
  json::object document;
  if (options.event) {
    document["event"] = *options.event;
  } else if (options.quarantined) {
    document["quarantined"] = *options.quarantined;
  } else {
    const auto request = read_captured(environment, options);
    if (!request) co_return fail(request.error());
    json::array headers;
    for (const auto& header : request->headers) {
      headers.push_back(json::array{header.name, header.value});
    }
    document["method"] = request->method;
    document["url"] = request->target;
    document["headers"] = std::move(headers);
    document["body_base64"] = crypto::base64_encode(request->body);
  }
  if (options.at) {
    const auto at = read_time(environment, options);
    if (!at) co_return fail(at.error());
    document["at"] = to_rfc3339(*at);
  }
  const auto why = co_await client.json(
      {.method = "POST",
       .path = fmt::format("/api/sources/{}/verify", encode_segment(*options.source)),
       .document = std::move(document)});
  if (!why) co_return fail(why.error());
  if (!why->is_object()) co_return fail(errc::bad_answer, "the explanation is not an object");
  co_return report(output, *why);
}

}  // namespace grapnel::cli
