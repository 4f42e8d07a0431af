// Expected failures: Result<T> = std::expected<T, Error>.
//
// Every room has one `errc` enum (at most 20 values, each saying when it occurs and what to do),
// made a std::error_code by an ErrorTable: a sentence and one of four conditions a value. Code that
// decides whether to try again looks at the condition only.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace grapnel {

/// What a caller can do about an error.
enum class Condition {
  retry_later = 1,  ///< the same call may succeed after a while
  reconnect,        ///< the connection or handle is gone; a fresh one may succeed
  give_up,          ///< the same call will fail the same way
  canceled,         ///< somebody asked for it to stop; neither logged as an error nor retried
};

const std::error_category& condition_category() noexcept;
inline std::error_condition make_error_condition(Condition condition) noexcept {
  return {static_cast<int>(condition), condition_category()};
}

/// Base of every room's error category: name, one sentence a value, its condition.
class ErrorCategory : public std::error_category {
 public:
  virtual Condition condition_of(int value) const noexcept = 0;
  std::error_condition default_error_condition(int value) const noexcept override {
    return make_error_condition(condition_of(value));
  }
};

/// One value of a room's errc.
struct ErrorRow {
  template <class Code>
    requires std::is_error_code_enum_v<Code>
  consteval ErrorRow(Code code, std::string_view text, Condition remedy)
      : value(static_cast<int>(code)), sentence(text), condition(remedy) {}

  int value;
  std::string_view sentence;  ///< what an Error without context says
  Condition condition;
};

/// The category of a room's errc, in its errors.cc:
///
///   constexpr std::array kRows{
///       ErrorRow{errc::malformed, "malformed text", Condition::give_up},
///       ErrorRow{errc::busy, "too much at a time", Condition::retry_later}};
///
///   std::error_code make_error_code(errc code) noexcept {
///     static constinit const ErrorTable table("grapnel.room", kRows);
///     return {static_cast<int>(code), table};
///   }
class ErrorTable final : public ErrorCategory {
 public:
  /// `rows` are the enum's values in their order, from 1 without a gap (else it does not compile),
  /// and live as long as the process; so does the table.
  consteval ErrorTable(const char* name, std::span<const ErrorRow> rows)
      : name_(name), rows_(rows) {
    int expected = 1;
    for (const ErrorRow& row : rows) {
      if (row.value != expected++) throw "the rows are not the values of the enum in their order";
    }
  }

  const char* name() const noexcept override { return name_; }
  std::string message(int value) const override;
  Condition condition_of(int value) const noexcept override;

 private:
  /// Null for a number that is no value of the enum.
  const ErrorRow* find(int value) const noexcept;

  const char* name_;
  std::span<const ErrorRow> rows_;
};

/// An error code and the sentence that names what and where; `context` reaches people as it is,
/// so it never holds a secret.
struct Error {
  std::error_code code;
  std::string context;

  /// "context" alone when it is set, the code's sentence otherwise.
  std::string message() const { return context.empty() ? code.message() : context; }
  /// What to do; codes of foreign categories count as give_up.
  Condition condition() const noexcept;
  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail(errc::x, "what, where");`
template <class Code>
  requires std::is_error_code_enum_v<Code>
std::unexpected<Error> fail(Code code, std::string context = {}) {
  return std::unexpected(Error{make_error_code(code), std::move(context)});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

/// Errors of the base room.
enum class errc {
  malformed = 1,  ///< a text is not what its grammar says; tell whoever wrote it
  out_of_range,   ///< a number or size is outside its bound; tell whoever wrote it
};
std::error_code make_error_code(errc code) noexcept;

}  // namespace grapnel

template <>
struct std::is_error_condition_enum<grapnel::Condition> : std::true_type {};
template <>
struct std::is_error_code_enum<grapnel::errc> : std::true_type {};
