// Ids: a typed prefix and a time-ordered 128-bit value in Crockford base32, for example
// evt_06ESVZ8Q3C9Y3RZ1J5H7K9M2PW: 48 bits of milliseconds, 80 random bits. Ids are names, never
// order; order is the store's commit sequence. An id never contains a '.' (Standard Webhooks 1.0,
// "Signed content").
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace grapnel {

using IdBytes = std::array<std::uint8_t, 16>;

/// 26 upper-case Crockford base32 characters.
std::string encode_id(std::string_view prefix, const IdBytes& bytes);
/// Takes either case; `prefix` includes the underscore. Error: malformed.
Result<IdBytes> decode_id(std::string_view prefix, std::string_view text);

/// A distinct type per kind of thing. `Tag::kPrefix` is the text before the value ("evt_").
template <class Tag>
struct Id {
  IdBytes bytes{};

  static Result<Id> parse(std::string_view text) {
    auto bytes = decode_id(Tag::kPrefix, text);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    return Id{*bytes};
  }
  std::string str() const { return encode_id(Tag::kPrefix, bytes); }
  bool empty() const { return bytes == IdBytes{}; }
  auto operator<=>(const Id&) const = default;
};

/// Makes ids. Thread-safe (as its clock and random source are).
class IdSource {
 public:
  IdSource(const StoreClock& clock, Random& random) : clock_(clock), random_(random) {}

  template <class IdType>
  IdType make() {
    return IdType{next()};
  }

 private:
  IdBytes next();

  const StoreClock& clock_;
  Random& random_;
};

}  // namespace grapnel

template <class Tag>
struct std::hash<grapnel::Id<Tag>> {
  std::size_t operator()(const grapnel::Id<Tag>& id) const noexcept {
    std::size_t value = 0;  // the last bytes are random
    std::memcpy(&value, id.bytes.data() + 16 - sizeof value, sizeof value);
    return value;
  }
};
