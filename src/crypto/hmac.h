// HMAC (RFC 2104) over a message that comes in pieces, with the digests that senders of webhooks
// use. SHA-1 is here for those that know nothing else: HMAC-SHA1 stands, SHA-1 alone does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_mac_ctx_st;

namespace grapnel::crypto {

enum class HashKind : std::uint8_t { sha1, sha256, sha512 };

/// Bytes of a digest: 20, 32, 64.
std::size_t digest_bytes(HashKind hash);

/// One message. One thread at a time; finish() once.
class HmacStream {
 public:
  HmacStream(HashKind hash, std::string_view key);
  void add(std::string_view bytes);
  /// The raw bytes.
  std::string finish();

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
  HashKind hash_;
};

}  // namespace grapnel::crypto
