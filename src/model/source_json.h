// A source as people read and write it.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/inbound_json.h"
#include "model/source.h"

namespace grapnel::model {

/// What a document says about a source; fields that it does not name stay as they are. An inner
/// optional that is empty (null in the document) goes back to the default.
struct SourcePatch {
  std::optional<std::string> name;
  std::optional<std::string> slug;
  std::optional<SourceMode> mode;
  std::optional<std::optional<std::vector<Place>>> idempotency;
  std::optional<std::optional<Place>> event_type;
  std::optional<std::optional<Place>> ordering_key;
  std::optional<bool> require_json;
  std::optional<std::uint64_t> body_bytes_max;  ///< field "body_max"
  std::optional<RateLimit> rate_limit;
  std::optional<std::vector<std::string>> secret_headers;
  std::optional<std::vector<std::string>> secret_query;
  std::optional<std::string> public_url;
  std::optional<std::string> script_body;  ///< "": none
  std::optional<BacklogBound> held_bound;  ///< field "held"
  InboundPatch inbound;
};

/// Public form. Unset places are null.
boost::json::object to_json(const Source& source);

/// Strict: unknown fields are refused. Error: malformed, one line a mistake.
Result<SourcePatch> parse_source_patch(const boost::json::value& value);

/// Changes `source`, deriving the slug from the name where there is none yet. Error: malformed when
/// the name is missing or gives no slug; then `source` is of no more use.
Result<> apply(const SourcePatch& patch, Source& source);

/// Lower case, spaces to '-', everything but [a-z0-9-] dropped, runs of '-' made one and cut from
/// the ends, at most kSlugBytesMax. "" when nothing is left.
std::string slug_from_name(std::string_view name);
/// [a-z0-9-], 1 to kSlugBytesMax, no '-' at the ends.
bool is_slug(std::string_view text);

/// {"count", "bytes"} with the defaults for what is absent.
boost::json::object to_json(const BacklogBound& bound);
class ObjectReader;
std::optional<BacklogBound> take_backlog(ObjectReader& fields, std::string_view name);
/// A list of header names, field "secret_headers".
std::optional<std::vector<std::string>> take_secret_headers(ObjectReader& fields,
                                                            std::size_t count_max);

}  // namespace grapnel::model
