// CloudEvents 1.0 over HTTP, as far as receiving needs it: the events of a request, in any of
// the three content modes (HTTP protocol binding 1.0.2 section 3).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "model/http.h"

namespace grapnel::pipeline {

inline constexpr std::string_view kCloudEvent = "application/cloudevents+json";
inline constexpr std::string_view kCloudEventsBatch = "application/cloudevents-batch+json";

/// Whether the Content-Type says so, whatever its parameters.
bool is_batch(const model::HeaderList& headers);
/// Whether a request in structured mode, or an element of a batch.
bool is_structured(const model::HeaderList& headers);

/// The elements of a batch, byte for byte. Error: a sentence for the sender (no JSON array of at
/// most kCloudEventsMax events).
std::expected<std::vector<std::string>, std::string> split_batch(std::string_view body);

/// What an event lacks (id, source, type, specversion 1.x); "" = nothing. Structured mode.
std::string missing_attribute(std::string_view event);
/// The same in binary mode.
std::string missing_attribute(const model::HeaderList& headers);

/// The events of a request, each as a request of its own. Error: a sentence for the sender.
std::expected<std::vector<model::HttpRequest>, std::string> cloud_events_of(
    model::HttpRequest request);

}  // namespace grapnel::pipeline
