#include "crypto/secret.h"

#include <openssl/crypto.h>

#include <cstring>
#include <utility>

namespace grapnel::crypto {

void wipe(void* data, std::size_t size) { OPENSSL_cleanse(data, size); }

void wipe(std::string& text) {
  text.resize(text.capacity());
  wipe(text.data(), text.size());
  text.clear();
}

Secret::Secret(std::string_view text)
    : data_(text.empty() ? nullptr : std::make_unique_for_overwrite<char[]>(text.size())),
      size_(text.size()) {
  if (size_ > 0) std::memcpy(data_.get(), text.data(), size_);
}

Secret Secret::take(std::string&& text) {
  Secret secret{std::string_view(text)};
  wipe(text);
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Secret::~Secret() {
  if (size_ > 0) wipe(data_.get(), size_);
}

}  // namespace grapnel::crypto
