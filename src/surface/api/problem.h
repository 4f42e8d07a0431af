// Errors as RFC 9457 problem documents: {"type","title","status","detail"}. `detail` is one clear
// sentence that a person can act on; `type` ends in the kind, which programs compare. No document
// holds a secret: contexts of errors never do (base/result.h).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "model/http.h"

namespace grapnel::api {

/// A value, or the answer that says why there is none.
template <class T>
using Answer = std::expected<T, model::HttpResponse>;

/// What `type` begins with; docs/API.md lists the kinds.
inline constexpr std::string_view kProblemPrefix = "urn:grapnel:problem:";

struct Problem {
  int status = 400;
  std::string_view kind;  ///< kebab-case
  std::string detail;     ///< several lines (one a mistake) also become the list "errors"
  std::optional<Millis> retry_after;
};

model::HttpResponse to_answer(const Problem& problem);
/// By the error's code. Unknown codes are 500, which nothing that a client does may reach.
model::HttpResponse to_answer(const Error& error);

/// `return refuse(404, "not-found", "there is no event 'x'");` in a function that returns Answer.
std::unexpected<model::HttpResponse> refuse(int status, std::string_view kind, std::string detail);
std::unexpected<model::HttpResponse> refuse(const Error& error);

/// The name of a status code, as RFC 9110 has it.
std::string_view title_of(int status);

}  // namespace grapnel::api
