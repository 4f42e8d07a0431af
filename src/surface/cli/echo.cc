#include "surface/cli/echo.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "signature/body_hmac.h"
#include "signature/standard_webhooks.h"
#include "surface/cli/errors.h"
#include "surface/cli/files.h"
#include "surface/cli/limits.h"

namespace grapnel::cli {
namespace {

std::string_view header_or(const model::HeaderList& headers, std::string_view name,
                           std::string_view otherwise) {
  return model::find_header(headers, name).value_or(otherwise);
}

/// Our deliveries forward the sender's headers, so the type stands where the sender put it.
std::string type_of(const model::HttpRequest& request) {
  for (const auto* name : {"X-GitHub-Event", "ce-type"}) {
    if (const auto value = model::find_header(request.headers, name)) return std::string(*value);
  }
  boost::system::error_code error;
  const auto body = boost::json::parse(request.body, error);
  const std::string type = error ? "" : field_text(body, "type");
  return type.empty() ? "webhook" : type;
}

int status_of(model::HttpFault fault) {
  switch (fault) {
    case model::HttpFault::bad_request: return 400;
    case model::HttpFault::timeout: return 408;
    case model::HttpFault::length_required: return 411;
    case model::HttpFault::body_too_large: return 413;
    case model::HttpFault::head_too_large: return 431;
    case model::HttpFault::too_many_in_flight: return 429;
    case model::HttpFault::unsupported_transfer_coding: return 501;
  }
  return 400;
}

std::string scheme_of(const signature::VerifyingKey& key) {
  return key.version() == signature::Version::v1 ? "v1" : "v1a";
}

std::string signature_text(const SignatureVerdict& verdict, const Output& output) {
  switch (verdict.kind) {
    case SignatureVerdict::Kind::unchecked: return "signature not checked";
    case SignatureVerdict::Kind::none: return output.painted("signature none", Tone::warning);
    case SignatureVerdict::Kind::ok:
      return output.painted(fmt::format("signature ok ({})", verdict.detail), Tone::good);
    case SignatureVerdict::Kind::bad:
      return output.painted(fmt::format("signature bad ({})", verdict.detail), Tone::bad);
  }
  return "";
}

}  // namespace

Result<EchoVerifier> EchoVerifier::make(const std::vector<std::string>& secrets) {
  EchoVerifier out;
  for (const auto& given : secrets) {
    Result<std::string> text = given;
    if (given.starts_with('@')) text = read_secret_file(given.substr(1));
    if (!text) return fail(std::move(text.error()));
    auto key = signature::VerifyingKey::parse(*text);
    if (!key) return fail(errc::malformed, fmt::format("--secret: {}", key.error().message()));
    out.keys_.push_back(std::move(*key));
    out.texts_.push_back(crypto::Secret::take(std::move(*text)));
  }
  return out;
}

SignatureVerdict EchoVerifier::check(const model::HeaderList& headers, std::string_view body,
                                     Time now) const {
  using Kind = SignatureVerdict::Kind;
  const auto envelope = signature::envelope_of(headers);
  const std::string_view body_hmac = header_or(headers, signature::kBodyHmacHeader, "");
  if (envelope.signature.empty() && body_hmac.empty()) return {Kind::none, ""};
  if (keys_.empty()) return {Kind::unchecked, ""};
  std::string wrong;
  if (!envelope.signature.empty()) {
    for (const auto& key : keys_) {
      const auto verified = signature::verify(std::span(&key, 1), envelope, body, now);
      if (verified) return {Kind::ok, scheme_of(key)};
      if (wrong.empty()) wrong = verified.error().message();
    }
  }
  // Only where there is no better one: this scheme alone would let a stale request pass.
  if (envelope.signature.empty()) {
    for (const auto& text : texts_) {
      const auto verified = signature::verify_body(text.reveal(), body_hmac, body);
      if (verified) return {Kind::ok, "sha256"};
      if (wrong.empty()) wrong = verified.error().message();
    }
  }
  return {Kind::bad, wrong};
}

std::variant<model::BodyAllowance, model::HttpResponse> EchoHandler::admit(
    const model::HttpRequest&) {
  return model::BodyAllowance{model::kBodyBytesMax};
}

async::Task<model::HttpResponse> EchoHandler::handle(model::HttpRequest request) {
  const Time now = clock_.wall();
  const auto verdict = verifier_.check(request.headers, request.body, now);
  const std::string time = to_rfc3339(now);
  constexpr std::size_t kClockStart = 11;  // "2026-01-02T" comes before the time of day
  output_.line(fmt::format("{}  {}  {}  attempt {}  {}  {}  {} {}",
                           time.substr(kClockStart, time.size() - kClockStart - 1),
                           printable(header_or(request.headers, signature::kIdHeader, "(no id)")),
                           printable(type_of(request)),
                           printable(header_or(request.headers, "X-Grapnel-Attempt", "-")),
                           signature_text(verdict, output_), readable_size(request.body.size()),
                           printable(request.method), printable(request.target)));
  if (options_.print_body && !request.body.empty()) {
    output_.line(printable(request.body, LineEnds::keep));
  }
  model::HttpResponse answer{.status = options_.status};
  answer.headers.push_back({"Content-Type", "text/plain"});
  answer.body = options_.status < 300 ? "ok\n" : "as told by --status\n";
  co_return answer;
}

model::HttpResponse EchoHandler::fault(model::HttpFault fault, const model::HttpRequest& head) {
  const int status = status_of(fault);
  output_.note(fmt::format("answered {} to a request of {} that is not as it should be", status,
                           printable(head.remote)));
  return {.status = status, .close = true};
}

async::Task<Result<>> run_echo(const Environment& environment, const Output& output,
                               EchoOptions options) {
  auto verifier = EchoVerifier::make(options.secrets);
  if (!verifier) co_return fail(std::move(verifier.error()));
  EchoHandler handler(environment.clock, output, std::move(*verifier), options);
  auto listener = environment.listen(options.listen, handler);
  if (!listener) {
    co_return fail(errc::refused, fmt::format("cannot listen on {}: {}", options.listen,
                                              listener.error().message()));
  }
  output.note(fmt::format("listening on http://{}/ (Ctrl-C ends)", (*listener)->address()));
  co_await environment.stop_asked();
  co_await (*listener)->stop();
  co_return Result<>{};
}

}  // namespace grapnel::cli
