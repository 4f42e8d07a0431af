#include "model/work_json.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "model/texts.h"
#include "model/transform.h"

namespace grapnel::model {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

value time_or_null(const std::optional<Time>& time) {
  if (!time) return nullptr;
  return value(to_rfc3339(*time));
}

template <class IdType>
value id_or_null(const std::optional<IdType>& id) {
  if (!id) return nullptr;
  return value(id->str());
}

value text_or_null(std::string_view text) {
  if (text.empty()) return nullptr;
  return value(valid_utf8(text));
}

array headers_json(const HeaderList& headers) {
  array out;
  for (const auto& header : headers) {
    out.push_back(array{valid_utf8(header.name), shown_value(header)});
  }
  return out;
}

/// Milliseconds with fractions; null for a step that was not taken.
value millis_of(std::int32_t micros) {
  if (micros < 0) return nullptr;
  return static_cast<double>(micros) / 1000.0;
}

}  // namespace

object to_json(const Event& event, std::string_view source_slug, Detail detail) {
  object out;
  out["id"] = event.id.str();
  out["seq"] = event.seq;
  out["source_id"] = event.source.str();
  if (!source_slug.empty()) out["source"] = source_slug;
  out["type"] = valid_utf8(event.type);
  out["status"] = to_text(event.fanout);
  out["run"] = event.run;
  out["parent_id"] = id_or_null(event.parent);
  out["received_at"] = to_rfc3339(event.received);
  out["method"] = valid_utf8(event.method);
  out["target"] = valid_utf8(event.target);
  out["remote"] = valid_utf8(event.remote);
  out["body_size"] = event.body_size;
  out["body_sha256"] = fmt::format("{:02x}", fmt::join(event.body_sha256, ""));
  out["idempotency_key"] = text_or_null(event.idempotency_key);
  out["idempotency_place"] = text_or_null(event.idempotency_place);
  out["ordering_key"] =
      event.ordering_key ? value(valid_utf8(*event.ordering_key)) : value(nullptr);
  out["verification"] = text_or_null(event.verification);
  out["traceparent"] = text_or_null(event.traceparent);
  if (detail == Detail::with_headers) out["headers"] = headers_json(event.headers);
  return out;
}

object to_json(const Delivery& delivery) {
  object out;
  out["id"] = delivery.id.str();
  out["event_id"] = delivery.event.str();
  out["event_type"] = valid_utf8(delivery.event_type);
  out["kind"] = is_transform(delivery) ? "transform" : "action";
  out["source_id"] = delivery.source.str();
  out["action_id"] = delivery.action.str();
  out["state"] = to_text(delivery.state);
  out["status"] = to_text(delivery.state);
  out["attempts"] = delivery.attempts;
  out["tries_used"] = delivery.tries_used;
  out["created_at"] = to_rfc3339(delivery.created);
  const bool waits =
      delivery.state == DeliveryState::pending || delivery.state == DeliveryState::retrying;
  out["next_attempt_at"] =
      waits && !delivery.waits_for_order ? value(to_rfc3339(delivery.due)) : value(nullptr);
  out["ended_at"] = time_or_null(delivery.ended);
  out["reason"] = text_or_null(to_text(delivery.reason));
  out["last_error"] = text_or_null(delivery.last_error);
  out["last_status"] = delivery.last_status > 0 ? value(delivery.last_status) : value(nullptr);
  out["run"] = delivery.run;
  out["replay_of"] = id_or_null(delivery.replay_of);
  out["replayed_by"] = id_or_null(delivery.replayed_by);
  out["cancel_requested"] = delivery.cancel_wished;
  out["waits_for_order"] = delivery.waits_for_order;
  out["skipped"] = delivery.skipped;
  return out;
}

object to_json(const Attempt& attempt) {
  object out;
  out["id"] = attempt.id.str();
  out["number"] = attempt.number;
  out["started_at"] = to_rfc3339(attempt.started);
  out["duration_ms"] = millis_of(attempt.timings.total_us);
  out["timings"] = {{"dns_ms", millis_of(attempt.timings.dns_us)},
                    {"connect_ms", millis_of(attempt.timings.connect_us)},
                    {"tls_ms", millis_of(attempt.timings.tls_us)},
                    {"first_byte_ms", millis_of(attempt.timings.first_byte_us)}};
  out["result"] = to_text(attempt.result);
  out["step"] = text_or_null(to_text(attempt.step));
  out["response_status"] =
      attempt.response_status > 0 ? value(attempt.response_status) : value(nullptr);
  out["response_headers"] = headers_json(attempt.response_headers);
  out["response_body"] = valid_utf8(attempt.response_excerpt);
  out["error"] = text_or_null(attempt.error);
  out["console"] = text_or_null(valid_utf8(attempt.console));
  out["request_headers"] = headers_json(attempt.request_headers);
  out["action_revision"] = attempt.action_revision;
  return out;
}

object to_json(const DeadFilter& filter) {
  object out;
  if (filter.source) out["source_id"] = filter.source->str();
  if (filter.action) out["action_id"] = filter.action->str();
  if (filter.reason) out["reason"] = to_text(*filter.reason);
  if (filter.ended_from) out["ended_from"] = to_rfc3339(*filter.ended_from);
  if (filter.ended_to) out["ended_to"] = to_rfc3339(*filter.ended_to);
  return out;
}

object to_json(const ReplayJob& job) {
  object out;
  out["id"] = job.id.str();
  out["state"] = to_text(job.state);
  out["filter"] = to_json(job.filter);
  out["per_second"] = job.per_second;
  out["matched"] = job.matched;
  out["replayed"] = job.replayed;
  out["skipped"] = job.skipped;
  out["created_at"] = to_rfc3339(job.created);
  out["ended_at"] = time_or_null(job.ended);
  return out;
}

object to_json(const ApiKey& key) {
  object out;
  out["id"] = key.id.str();
  out["name"] = valid_utf8(key.name);
  out["scope"] = to_text(key.scope);
  array sources;
  for (const auto& source : key.sources) sources.emplace_back(source.str());
  out["sources"] = std::move(sources);
  out["expires_at"] = time_or_null(key.expires);
  out["created_at"] = to_rfc3339(key.created);
  out["last_used_at"] = time_or_null(key.last_used);
  return out;
}

}  // namespace grapnel::model
