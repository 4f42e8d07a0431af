// Compact forms of what has no columns of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "model/event.h"
#include "model/headers.h"

namespace grapnel::sqlite {

/// Each field as length and bytes of its name, then of its value; lengths are LEB128.
std::string encode_headers(const model::HeaderList& headers);
/// Bytes that are no such list (a damaged page) give what could be read before the damage.
model::HeaderList decode_headers(std::string_view bytes);

/// Names an idempotency key: its source, the place it was found in, its text.
IdBytes idempotency_hash(model::SourceId source, std::string_view place, std::string_view key);
/// Names an ordering key of one action. Two keys that share a number are only ordered more than
/// needed.
std::int64_t order_hash(std::int64_t action, std::string_view key);
/// First 8 bytes of a body's checksum.
std::int64_t short_checksum(const model::Sha256& sha256);

}  // namespace grapnel::sqlite
