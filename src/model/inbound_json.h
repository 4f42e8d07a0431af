// How a source verifies, as people read and write it and as the store keeps it.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <vector>

#include "model/inbound.h"

namespace grapnel::model {

class ObjectReader;

/// What a document says about it; fields that it does not name stay as they are.
struct InboundPatch {
  std::optional<std::string> provider;     ///< "" (null in the document): none
  std::optional<VerifySettings> settings;  ///< field "verify": replaces all of them
  std::optional<bool> require_https;
  std::optional<int> quarantine;  ///< true reads as kQuarantineDefault
  /// Write-only: sealed by whoever has the master key.
  std::optional<std::vector<std::string>> secrets;
  std::optional<std::string> handshake_token;
};

/// Notes mistakes in the reader's list.
InboundPatch take_inbound(ObjectReader& fields);
void apply(const InboundPatch& patch, Inbound& inbound);

/// Adds "provider", "verify", "require_https", "quarantine" and "secret_fingerprints".
void show_inbound(const Inbound& inbound, boost::json::object& out);

/// Everything, sealed secrets included.
boost::json::object to_stored_object(const Inbound& inbound);
/// Nothing: not what to_stored_object made. Fields that are absent read as their defaults.
std::optional<Inbound> inbound_from_stored(const boost::json::value& stored);

}  // namespace grapnel::model
