// errno of a file operation as an error of the store.
#pragma once

#include <string>

#include "base/result.h"

namespace grapnel::sqlite {

/// store_full, store_read_only or store_unavailable; the sentence names the path and what the
/// system said.
Error file_error(int number, const std::string& doing, const std::string& path);

}  // namespace grapnel::sqlite
