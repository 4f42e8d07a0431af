#include "surface/cli/client.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "base/version.h"
#include "model/json_text.h"
#include "model/texts.h"
#include "surface/cli/errors.h"

namespace grapnel::cli {
namespace {

std::string one_line(std::string_view text) {
  std::string out = valid_utf8(text.substr(0, kErrorTextMax));
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return out;
}

/// What a problem document says (RFC 9457): its detail, and the list of mistakes below it.
std::string problem_text(const Answer& answer) {
  boost::system::error_code error;
  const boost::json::value document = boost::json::parse(answer.body, error);
  const auto* fields = error ? nullptr : document.if_object();
  if (!fields) return one_line(answer.body);
  if (const auto* list = fields->if_contains("errors"); list && list->is_array()) {
    std::string out;
    for (const auto& item : list->get_array()) {
      if (!item.is_string()) continue;
      if (!out.empty()) out += "\n";
      out += one_line(item.get_string());
    }
    if (!out.empty()) return out;
  }
  for (const auto* name : {"detail", "title"}) {
    const auto* text = fields->if_contains(name);
    if (text && text->is_string() && !text->get_string().empty()) {
      return one_line(text->get_string());
    }
  }
  return "";
}

errc code_of(int status) {
  switch (status) {
    case 401:
    case 403: return errc::not_allowed;
    case 404: return errc::not_found;
    case 409:
    case 412: return errc::conflict;
    case 429: return errc::unavailable;
    default: return status >= 500 ? errc::unavailable : errc::refused;
  }
}

std::unexpected<Error> refusal(const Answer& answer, std::string_view server,
                               std::string_view what) {
  std::string text = problem_text(answer);
  if (text.empty()) text = fmt::format("{} answered {} to {}", server, answer.status, what);
  if (answer.status == 401) {
    text +=
        "; set GRAPNEL_API_KEY or --key-file (the server's first key is in "
        "DATA_DIR/admin.key on its machine)";
  } else if (answer.status == 412) {
    text += "; somebody else changed it meanwhile, try again";
  } else if (answer.status >= 300 && answer.status < 400) {
    const auto place = model::find_header(answer.headers, "Location");
    text = fmt::format("{} redirects to {}; name that with --server if you trust it", server,
                       one_line(place.value_or("another place")));
  } else if (answer.status == 404 && !answer.body.starts_with('{')) {
    text = fmt::format("{} has no {}; is it a Grapnel server?", server, what);
  }
  return fail(code_of(answer.status), std::move(text));
}

std::unexpected<Error> failure_text(const model::HttpFailure& failure, std::string_view server) {
  std::string_view advice =
      "is `grapnel serve` running there? (--server or GRAPNEL_SERVER name "
      "another)";
  if (failure.step == model::AttemptStep::tls) {
    advice = "--ca-file names the certificates to trust";
  } else if (failure.step == model::AttemptStep::timeout ||
             failure.step == model::AttemptStep::response) {
    advice = "what was asked for may have happened";
  }
  return fail(errc::unreachable,
              fmt::format("no answer from {}: {}; {}", server, one_line(failure.message), advice));
}

}  // namespace

async::Task<Result<Answer>> Client::send(model::HttpCall call, std::string_view what) {
  call.headers.push_back({"User-Agent", fmt::format("grapnel-cli/{}", kVersion)});
  call.ca_bundle = connection_.ca_bundle;
  call.response_bytes_max = kAnswerBytesMax;
  call.response_bytes_kept = kAnswerBytesMax;
  auto answered = co_await http_.send(std::move(call));
  if (!answered) co_return failure_text(answered.error(), connection_.server);
  Answer answer{answered->status, std::move(answered->headers), std::move(answered->body)};
  if (answer.status < 200 || answer.status > 299) {
    co_return refusal(answer, connection_.server, what);
  }
  co_return answer;
}

async::Task<Result<Answer>> Client::call(Call call) {
  std::string url = connection_.server + call.path;
  char separator = call.path.contains('?') ? '&' : '?';
  for (const auto& [name, value] : call.query) {
    url += fmt::format("{}{}={}", separator, name, encode_segment(value));
    separator = '&';
  }
  model::HttpCall out{.method = call.method,
                      .url = std::move(url),
                      .headers = std::move(call.headers),
                      .timeout = call.timeout};
  out.headers.push_back({"Accept", "application/json"});
  if (!connection_.key.empty()) {
    out.headers.push_back({"Authorization", fmt::format("Bearer {}", connection_.key.reveal())});
  }
  std::string body;
  if (call.document) {
    body = model::json_text(*call.document);
    out.headers.push_back({"Content-Type", "application/json"});
    out.body = body;
  }
  co_return co_await send(std::move(out), call.path);
}

async::Task<Result<Answer>> Client::post_webhook(std::string path, model::HeaderList headers,
                                                 std::string_view body) {
  model::HttpCall out{.url = connection_.server + path,
                      .headers = std::move(headers),
                      .body = body,
                      .timeout = kCallTimeout};
  co_return co_await send(std::move(out), path);
}

async::Task<Result<boost::json::value>> Client::json(Call call) {
  auto answer = co_await this->call(std::move(call));
  if (!answer) co_return fail(std::move(answer.error()));
  if (answer->body.empty()) co_return boost::json::value(nullptr);
  co_return parse_answer(*answer, connection_.server);
}

async::Task<Result<boost::json::array>> Client::list(std::string path, Query query, int rows_max) {
  boost::json::array rows;
  query.emplace_back("limit", fmt::format("{}", std::min(rows_max, model::kPageMax)));
  Call call{.path = std::move(path), .query = std::move(query)};
  for (int page = 0; page < kPagesMax; ++page) {
    const auto answer = co_await this->call(call);
    if (!answer) co_return fail(answer.error());
    auto document = parse_answer(*answer, connection_.server);
    if (!document) co_return fail(std::move(document.error()));
    auto* items = document->if_array();
    if (!items) {
      co_return fail(errc::bad_answer,
                     fmt::format("{}{}: expected a list", connection_.server, call.path));
    }
    for (auto& item : *items) {
      if (rows.size() == static_cast<std::size_t>(rows_max)) co_return rows;
      rows.push_back(std::move(item));
    }
    const auto next = next_of(answer->headers);
    // Only a path: a key is never sent to a place that an answer names.
    if (!next || !next->starts_with('/') || next->starts_with("//")) co_return rows;
    call = Call{.path = *next};
  }
  co_return rows;
}

std::string encode_segment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> next_of(const model::HeaderList& headers) {
  const auto link = model::find_header(headers, "Link");
  if (!link) return std::nullopt;
  const std::size_t start = link->find('<');
  const std::size_t end = link->find('>');
  if (start == std::string_view::npos || end == std::string_view::npos || end < start ||
      !link->substr(end).contains("rel=\"next\"")) {
    return std::nullopt;
  }
  return std::string(link->substr(start + 1, end - start - 1));
}

Result<boost::json::value> parse_answer(const Answer& answer, std::string_view server) {
  boost::system::error_code error;
  auto value = boost::json::parse(answer.body, error);
  if (error) {
    return fail(errc::bad_answer,
                fmt::format("{} answered with something that is not JSON; is it a Grapnel server?",
                            server));
  }
  return value;
}

}  // namespace grapnel::cli
