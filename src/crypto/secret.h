// A text that must not be seen: wiped when it goes, impossible to print or log by accident.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

namespace grapnel::crypto {

/// Overwrites memory in a way that the compiler may not leave out.
void wipe(void* data, std::size_t size);
/// Overwrites all that the string holds, its spare capacity too, and empties it.
void wipe(std::string& text);

/// Owns its bytes on the heap; every copy is wiped on destruction. A moved-from secret is empty.
class Secret {
 public:
  Secret() = default;
  /// Copies; the original is the caller's to wipe.
  explicit Secret(std::string_view text);
  /// Copies and wipes the original.
  static Secret take(std::string&& text);
  Secret(const Secret& other) : Secret(other.reveal()) {}
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret();

  /// Valid as long as this secret is neither changed nor destroyed.
  std::string_view reveal() const { return {data_.get(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

}  // namespace grapnel::crypto

template <>
struct fmt::formatter<grapnel::crypto::Secret> {
  formatter() = delete;
};
