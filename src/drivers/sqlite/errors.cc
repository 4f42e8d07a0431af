#include "drivers/sqlite/errors.h"

#include <array>

#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

constexpr std::array kRows{
    ErrorRow{errc::locked, "another process uses the data directory", Condition::give_up},
    ErrorRow{errc::newer_schema, "a newer version wrote this store", Condition::give_up},
    ErrorRow{errc::not_a_store, "the file is no store of ours, or is damaged", Condition::give_up},
    ErrorRow{errc::bad_statement, "the store refused a statement", Condition::give_up}};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static constinit const ErrorTable table("grapnel.sqlite", kRows);
  return {static_cast<int>(code), table};
}

bool is_store_failure(const Error& error) {
  return error.code == model::errc::store_unavailable || error.code == model::errc::store_full ||
         error.code == model::errc::store_read_only;
}

}  // namespace grapnel::sqlite
