#include "surface/api/faults.h"

#include "surface/api/limits.h"
#include "surface/api/problem.h"

namespace grapnel::api {
namespace {

Problem problem_of(model::HttpFault fault) {
  using model::HttpFault;
  switch (fault) {
    case HttpFault::bad_request:
      return {400, "bad-request", "the request is not HTTP/1.1 as RFC 9112 has it", {}};
    case HttpFault::timeout: return {408, "too-slow", "the request did not arrive in time", {}};
    case HttpFault::length_required:
      return {411, "length-required", "send the body with Content-Length or chunked", {}};
    case HttpFault::body_too_large:
      return {413, "body-too-large", "the body is larger than what is taken here", {}};
    case HttpFault::head_too_large:
      return {431, "head-too-large", "too many or too long header fields", {}};
    case HttpFault::too_many_in_flight:
      return {429, "too-many-in-flight", "too many bytes are in flight at the moment",
              kRetryAfterBusy};
    case HttpFault::unsupported_transfer_coding:
      return {501, "transfer-coding", "the only transfer coding known here is chunked", {}};
  }
  return {400, "bad-request", "the request cannot be read", {}};
}

}  // namespace

model::HttpResponse fault_answer(model::HttpFault fault) {
  auto answer = to_answer(problem_of(fault));
  answer.close = true;
  return answer;
}

}  // namespace grapnel::api
