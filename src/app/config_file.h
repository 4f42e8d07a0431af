// grapnel.yaml: its keys, read strictly into a Config.
#pragma once

#include <string>
#include <string_view>

#include "app/config.h"
#include "base/result.h"

namespace grapnel::app {

/// Changes what the file names. Error: bad_config, one line a mistake ("file:line: field: …").
Result<> read_config_file(const std::string& file, Config& config);

/// These say what is expected. Error: bad_config.
Result<http::Cidr> parse_cidr(std::string_view text);
Result<telemetry::Level> parse_log_level(std::string_view text);
Result<telemetry::LogFormat> parse_log_format(std::string_view text);

}  // namespace grapnel::app
