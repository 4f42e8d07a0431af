#include "drivers/sqlite/errors.h"

#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

class Category final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.sqlite"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::locked: return "another process uses the data directory";
      case errc::newer_schema: return "a newer version wrote this store";
      case errc::not_a_store: return "the file is no store of ours, or is damaged";
      case errc::bad_statement: return "the store refused a statement";
    }
    return "unknown error";
  }
  Condition condition_of(int) const noexcept override { return Condition::give_up; }
};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static const Category category;
  return {static_cast<int>(code), category};
}

bool is_store_failure(const Error& error) {
  return error.code == model::errc::store_unavailable || error.code == model::errc::store_full ||
         error.code == model::errc::store_read_only;
}

}  // namespace grapnel::sqlite
