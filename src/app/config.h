// Settings of the process. In order of precedence: the command line, GRAPNEL_* and PORT of the
// environment, grapnel.yaml, defaults. docs/CONFIGURATION.md lists every key.
//
// Everything is checked before anything starts: each mistake is one line that says where it stands,
// what is expected and what was given, and all of them are reported at once.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/limits.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "drivers/http/cidr.h"
#include "drivers/http/tls.h"
#include "drivers/js/limits.h"
#include "drivers/sqlite/limits.h"
#include "model/sandbox.h"
#include "model/upkeep.h"
#include "telemetry/log_entry.h"

namespace grapnel::app {

/// Where to listen. Address "" is every address of both families; port 0 lets the kernel choose.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;

  std::string str() const;
  bool operator==(const Endpoint&) const = default;
};
/// "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080". Error: bad_config, what is expected.
Result<Endpoint> parse_endpoint(std::string_view text);

enum class ApiAuth : std::uint8_t {
  keys,  ///< every call of the API needs a key
  none,  ///< nobody is asked who they are; warned about at start
};

struct Limits {
  std::uint64_t body_bytes_in_flight = http::kBodyBytesInFlightMax;
  std::size_t connections = http::kConnectionsMax;
  std::uint64_t wal_bytes = sqlite::kWalBytesMax;
};

struct Shutdown {
  Millis grace = kGraceDefault;  ///< after SIGTERM: not ready, but still accepting
  Millis drain = kDrainDefault;  ///< from SIGTERM to the end of the last attempt; > grace
};

struct LogSettings {
  telemetry::Level level = telemetry::Level::info;
  telemetry::LogFormat format = telemetry::LogFormat::json;
};

struct Scripts {
  int workers = js::kWorkersDefault;
  std::vector<model::SandboxPart> allow_without;  ///< "allow_without": parts the kernel may refuse
};

struct Config {
  Endpoint listen{"0.0.0.0", 8080};
  std::optional<Endpoint> metrics_listen = Endpoint{"0.0.0.0", 9090};  ///< none: "off"
  std::string data_dir = "./grapnel-data";
  std::optional<http::TlsFiles> tls;  ///< none: plain HTTP
  std::vector<http::Cidr> trusted_proxies;
  std::vector<http::Cidr> egress_allow;
  ApiAuth api_auth = ApiAuth::keys;
  crypto::Secret api_key;       ///< GRAPNEL_API_KEY; empty: none
  crypto::Secret master_key;    ///< GRAPNEL_MASTER_KEY; empty: from master_key_file
  std::string master_key_file;  ///< "": DATA_DIR/master.key
  std::vector<crypto::Secret> older_master_keys;    ///< GRAPNEL_MASTER_KEY_OLD
  std::vector<std::string> master_key_older_files;  ///< open what they sealed, seal nothing
  LogSettings log;
  model::RetentionPolicy retention;
  Limits limits;
  Scripts scripts;
  Shutdown shutdown;
};

/// Looks an environment variable up.
using Variables = std::function<std::optional<std::string>(const std::string&)>;

/// What the command line says; texts as given.
struct Overrides {
  std::optional<std::string> data_dir;
  std::optional<std::string> listen;
  std::optional<std::string> metrics_listen;
};

/// Without `path`, ./grapnel.yaml is read if it exists. Error: bad_config, one line a mistake:
/// "grapnel.yaml:12: egress.allow[0]: …", "GRAPNEL_LISTEN: …", "--listen: …".
Result<Config> load_config(const std::optional<std::string>& path, const Variables& variables,
                           const Overrides& overrides = {});

/// The settings in force, as grapnel.yaml would say them; secrets only as "set" or "not set".
boost::json::object to_json(const Config& config);

}  // namespace grapnel::app
