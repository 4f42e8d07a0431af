#include "drivers/sqlite/codec.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "crypto/digest.h"

namespace grapnel::sqlite {
namespace {

void append_text(std::string& out, std::string_view text) {
  std::size_t left = text.size();
  while (left >= 0x80) {
    out.push_back(static_cast<char>((left & 0x7f) | 0x80));
    left >>= 7;
  }
  out.push_back(static_cast<char>(left));
  out.append(text);
}

std::optional<std::string_view> take_text(std::string_view& bytes) {
  std::size_t size = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    if (bytes.empty()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    size |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (size > bytes.size()) return std::nullopt;
      const std::string_view text = bytes.substr(0, size);
      bytes.remove_prefix(size);
      return text;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string encode_headers(const model::HeaderList& headers) {
  std::size_t size = 0;
  for (const auto& header : headers) size += header.name.size() + header.value.size() + 6;
  std::string out;
  out.reserve(size);
  for (const auto& header : headers) {
    append_text(out, header.name);
    append_text(out, header.value);
  }
  return out;
}

model::HeaderList decode_headers(std::string_view bytes) {
  model::HeaderList headers;
  while (!bytes.empty()) {
    const auto name = take_text(bytes);
    if (!name) break;
    const auto value = take_text(bytes);
    if (!value) break;
    headers.push_back({std::string(*name), std::string(*value)});
  }
  return headers;
}

IdBytes idempotency_hash(model::SourceId source, std::string_view place, std::string_view key) {
  std::string text(reinterpret_cast<const char*>(source.bytes.data()), source.bytes.size());
  append_text(text, place);
  text.append(key);
  const crypto::Digest digest = crypto::sha256(text);
  IdBytes bytes;
  std::copy_n(digest.begin(), bytes.size(), bytes.begin());
  return bytes;
}

std::int64_t order_hash(std::int64_t action, std::string_view key) {
  std::string text(sizeof action, '\0');
  std::memcpy(text.data(), &action, sizeof action);
  text.append(key);
  return short_checksum(crypto::sha256(text));
}

std::int64_t short_checksum(const model::Sha256& sha256) {
  std::int64_t value = 0;
  std::memcpy(&value, sha256.data(), sizeof value);
  return value;
}

}  // namespace grapnel::sqlite
