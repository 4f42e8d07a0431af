// The bytes a connection has read and not used yet. One piece of memory, used again for every
// message.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/check.h"
#include "drivers/http/limits.h"

namespace grapnel::http {

class ReadBuffer {
 public:
  std::string_view readable() const { return {memory_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  /// Room behind what is readable: at least one byte, and more memory if need be, but no more than
  /// `bytes_max` readable in all. Views of earlier calls are void.
  std::span<char> prepare(std::size_t bytes_max) {
    GRAPNEL_CHECK(end_ - begin_ < bytes_max);
    if (begin_ > 0) {
      std::memmove(memory_.get(), memory_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == size_) grow(std::min(bytes_max, std::max(2 * size_, kReadBufferBytes)));
    return {memory_.get() + end_, std::min(size_, bytes_max) - end_};
  }
  /// Memory for at least `size` bytes from now on, until shrink().
  void reserve(std::size_t size) {
    if (size_ < size) grow(size);
  }
  void commit(std::size_t bytes) { end_ += bytes; }
  void consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Gives memory beyond the usual back; the buffer is empty.
  void shrink() {
    GRAPNEL_CHECK(empty());
    if (size_ > kReadBufferBytes) {
      memory_.reset();
      size_ = 0;
    }
  }

 private:
  void grow(std::size_t size) {
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    if (end_ > 0) std::memcpy(larger.get(), memory_.get(), end_);
    memory_ = std::move(larger);
    size_ = size;
  }

  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace grapnel::http
