#include "signature/rejection.h"

#include <array>

namespace grapnel::signature {

std::string_view to_text(Rejection reason) {
  static constexpr std::array<std::string_view, kRejections> kTexts{"missing_signature",
                                                                    "malformed_signature",
                                                                    "too_many_signatures",
                                                                    "doubled_header",
                                                                    "missing_id",
                                                                    "malformed_id",
                                                                    "missing_timestamp",
                                                                    "malformed_timestamp",
                                                                    "too_old",
                                                                    "too_new",
                                                                    "no_match",
                                                                    "no_secret",
                                                                    "insecure",
                                                                    "bad_certificate",
                                                                    "unusable"};
  return kTexts.at(static_cast<std::size_t>(reason));
}

}  // namespace grapnel::signature
