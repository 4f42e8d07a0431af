#include "surface/cli/send.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "model/headers.h"
#include "surface/cli/errors.h"
#include "surface/cli/files.h"
#include "surface/cli/limits.h"

namespace grapnel::cli {
namespace {

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
  output.result(*receipt, fmt::format("{} {}", shown(*receipt, "event_id"),
                                      output.painted(status, tone_of(status))));
  co_return Result<>{};
}

}  // namespace grapnel::cli
