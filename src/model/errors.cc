#include "model/errors.h"

namespace grapnel::model {
namespace {

class Category final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.model"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::store_unavailable: return "the store cannot be used now";
      case errc::store_full: return "the store's disk is full";
      case errc::store_read_only: return "the store cannot be written";
      case errc::not_found: return "not found";
      case errc::conflict: return "changed by somebody else";
      case errc::not_terminal: return "the delivery has not ended";
      case errc::already_ended: return "the delivery has ended";
      case errc::already_replayed: return "the delivery was replayed already";
      case errc::body_gone: return "the event's body was removed by retention";
      case errc::body_damaged: return "the stored body does not match its checksum";
      case errc::action_deleted: return "the action was deleted";
      case errc::endpoint_gone: return "the action's endpoint is gone";
      case errc::old_cursor:
        return "the cursor belongs to an older state of the store or another list";
      case errc::malformed: return "malformed";
      case errc::too_many: return "too many";
    }
    return "unknown error";
  }
  Condition condition_of(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::store_unavailable:
      case errc::store_full:
      case errc::store_read_only: return Condition::retry_later;
      default: return Condition::give_up;
    }
  }
};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static const Category category;
  return {static_cast<int>(code), category};
}

}  // namespace grapnel::model
