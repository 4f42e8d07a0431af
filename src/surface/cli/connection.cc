#include "surface/cli/connection.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "model/headers.h"
#include "model/json_reader.h"
#include "surface/cli/errors.h"
#include "surface/cli/files.h"
#include "surface/cli/limits.h"

namespace grapnel::cli {
namespace {

constexpr const char* kDefaultServer = "http://127.0.0.1:8080";
constexpr const char* kDefaultDataDir = "./grapnel-data";

std::optional<std::string> set_variable(const Environment& environment, const std::string& name) {
  auto value = environment.variable(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

Result<std::string> read_server(const Environment& environment, const GlobalOptions& global) {
  std::string server = global.server
                           ? *global.server
                           : set_variable(environment, "GRAPNEL_SERVER").value_or(kDefaultServer);
  while (server.ends_with('/')) server.pop_back();
  if (const auto wrong = model::wrong_with_url(server)) {
    return fail(errc::usage,
                fmt::format("{}: {}", global.server ? "--server" : "GRAPNEL_SERVER", *wrong));
  }
  if (server.contains('?')) {
    return fail(errc::usage, fmt::format("the server's URL has no query, given '{}'", server));
  }
  return server;
}

bool is_this_machine(std::string_view server) {
  const std::size_t start = server.find("://") + 3;
  std::string_view host = server.substr(start, server.find('/', start) - start);
  if (!host.ends_with(']')) host = host.substr(0, host.rfind(':'));
  const bool is_ipv4 = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "[::1]" || (is_ipv4 && host.starts_with("127."));
}

Result<std::string> read_key(const Environment& environment, const GlobalOptions& global,
                             std::string_view server) {
  if (global.key) return *global.key;
  if (global.key_file) return read_secret_file(*global.key_file);
  if (auto key = set_variable(environment, "GRAPNEL_API_KEY")) return *key;
  const std::string file =
      set_variable(environment, "GRAPNEL_DATA_DIR").value_or(kDefaultDataDir) + "/admin.key";
  // A key found by chance is not sent to a machine that never gave it.
  if (!is_this_machine(server) || !file_exists(file)) return std::string();
  return read_secret_file(file).value_or("");
}

}  // namespace

Result<Connection> make_connection(const Environment& environment, const GlobalOptions& global) {
  Connection out;
  auto server = read_server(environment, global);
  if (!server) return fail(std::move(server.error()));
  out.server = std::move(*server);
  auto key = read_key(environment, global, out.server);
  if (!key) return fail(std::move(key.error()));
  if (!model::is_header_value(*key)) {
    return fail(errc::usage, "the API key holds characters that no key has");
  }
  out.key = crypto::Secret::take(std::move(*key));
  if (global.ca_file) {
    auto pem = read_file(*global.ca_file, kCaFileBytesMax);
    if (!pem) return fail(std::move(pem.error()));
    out.ca_bundle = std::make_shared<const std::string>(std::move(*pem));
  }
  return out;
}

}  // namespace grapnel::cli
