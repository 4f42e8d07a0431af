#include "app/config.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "app/config_file.h"
#include "app/errors.h"
#include "base/units.h"
#include "crypto/limits.h"
#include "model/texts.h"
#include "surface/cli/files.h"

namespace grapnel::app {
namespace {

constexpr std::string_view kEndpointForm =
    "expected ADDRESS:PORT such as 0.0.0.0:8080, [::1]:8080 or :8080 (all addresses)";
constexpr const char* kDefaultFile = "grapnel.yaml";

/// Settings from texts: the environment and the command line.
class TextReader {
 public:
  TextReader(Config& config, std::vector<std::string>& mistakes)
      : config_(config), mistakes_(mistakes) {}

  void listen(std::string_view name, std::string_view text) {
    note(name, assign(parse_endpoint(text), config_.listen));
  }
  void metrics_listen(std::string_view name, std::string_view text) {
    if (text == "off") {
      config_.metrics_listen.reset();
    } else {
      Endpoint endpoint;
      note(name, assign(parse_endpoint(text), endpoint));
      config_.metrics_listen = endpoint;
    }
  }
  void data_dir(std::string_view name, std::string_view text) {
    if (text.empty() || text.size() > kPathBytesMax) {
      mistakes_.push_back(fmt::format("{}: expected the path of a folder", name));
      return;
    }
    config_.data_dir = text;
  }
  void port(std::string_view text);
  void egress_allow(std::string_view name, std::string_view text);
  void api_key(std::string_view name, std::string_view text);
  void master_key(std::string_view name, std::string_view text);
  void older_master_keys(std::string_view name, std::string_view text);
  void log_level(std::string_view name, std::string_view text) {
    note(name, assign(parse_log_level(text), config_.log.level));
  }
  void log_format(std::string_view name, std::string_view text) {
    note(name, assign(parse_log_format(text), config_.log.format));
  }

 private:
  template <class T>
  static Result<> assign(Result<T> parsed, T& to) {
    if (!parsed) return fail(std::move(parsed.error()));
    to = std::move(*parsed);
    return {};
  }
  void note(std::string_view name, const Result<>& result) {
    if (!result) mistakes_.push_back(fmt::format("{}: {}", name, result.error().message()));
  }

  Config& config_;
  std::vector<std::string>& mistakes_;
};

void TextReader::port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    mistakes_.push_back(fmt::format("PORT: expected a number from 0 to 65535, given '{}'",
                                    text.substr(0, kEndpointTextMax)));
    return;
  }
  config_.listen = {"0.0.0.0", port};
}

/// The items of "a, b,": without blanks around them, empty ones left out.
std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> items;
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t start = std::min(item.find_first_not_of(" \t"), item.size());
    item = item.substr(start, item.find_last_not_of(" \t") + 1 - start);
    if (!item.empty()) items.push_back(item);
  }
  return items;
}

void TextReader::egress_allow(std::string_view name, std::string_view text) {
  config_.egress_allow.clear();
  for (const std::string_view item : split_list(text)) {
    auto cidr = parse_cidr(item);
    if (!cidr) {
      mistakes_.push_back(fmt::format("{}: {}", name, cidr.error().message()));
    } else {
      config_.egress_allow.push_back(*cidr);
    }
  }
}

void TextReader::api_key(std::string_view name, std::string_view text) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (!printable || text.size() < kApiKeyTextMin || text.size() > kKeyTextMax) {
    mistakes_.push_back(fmt::format("{}: expected {} to {} visible ASCII characters", name,
                                    kApiKeyTextMin, kKeyTextMax));
    return;
  }
  config_.api_key = crypto::Secret(text);
}

void TextReader::master_key(std::string_view name, std::string_view text) {
  if (text.size() > kKeyTextMax) {
    mistakes_.push_back(fmt::format("{}: expected at most {} characters", name, kKeyTextMax));
    return;
  }
  config_.master_key = crypto::Secret(text);
}

void TextReader::older_master_keys(std::string_view name, std::string_view text) {
  const auto items = split_list(text);
  if (items.size() > crypto::kOlderKeysMax ||
      std::ranges::any_of(items, [](auto item) { return item.size() > kKeyTextMax; })) {
    mistakes_.push_back(
        fmt::format("{}: expected at most {} keys of at most {} characters, "
                    "separated by commas",
                    name, crypto::kOlderKeysMax, kKeyTextMax));
    return;
  }
  for (const std::string_view item : items) config_.older_master_keys.emplace_back(item);
}

void read_environment(const Variables& variables, Config& config,
                      std::vector<std::string>& mistakes) {
  TextReader reader(config, mistakes);
  // An empty variable counts as not set: that is how deployments blank one out.
  const auto set = [&](const std::string& name, const auto& use) {
    const auto value = variables(name);
    if (value && !value->empty()) use(std::string_view(*value));
  };
  const auto apply = [&](const std::string& name, auto member) {
    set(name, [&](std::string_view text) { (reader.*member)(name, text); });
  };
  set("PORT", [&](std::string_view text) { reader.port(text); });
  apply("GRAPNEL_LISTEN", &TextReader::listen);
  apply("GRAPNEL_METRICS_LISTEN", &TextReader::metrics_listen);
  apply("GRAPNEL_DATA_DIR", &TextReader::data_dir);
  apply("GRAPNEL_EGRESS_ALLOW", &TextReader::egress_allow);
  apply("GRAPNEL_API_KEY", &TextReader::api_key);
  apply("GRAPNEL_LOG_LEVEL", &TextReader::log_level);
  apply("GRAPNEL_LOG_FORMAT", &TextReader::log_format);
  apply("GRAPNEL_MASTER_KEY", &TextReader::master_key);
  apply("GRAPNEL_MASTER_KEY_OLD", &TextReader::older_master_keys);
}

void read_overrides(const Overrides& overrides, Config& config,
                    std::vector<std::string>& mistakes) {
  TextReader reader(config, mistakes);
  if (overrides.data_dir) reader.data_dir("--data-dir", *overrides.data_dir);
  if (overrides.listen) reader.listen("--listen", *overrides.listen);
  if (overrides.metrics_listen) {
    reader.metrics_listen("--metrics-listen", *overrides.metrics_listen);
  }
}

boost::json::array to_json(const std::vector<http::Cidr>& cidrs) {
  boost::json::array out;
  for (const auto& cidr : cidrs) out.emplace_back(cidr.str());
  return out;
}

}  // namespace

std::string Endpoint::str() const {
  return address.contains(':') ? fmt::format("[{}]:{}", address, port)
                               : fmt::format("{}:{}", address, port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto wrong = [&] {
    return fail(errc::bad_config,
                fmt::format("{}, given '{}'", kEndpointForm, text.substr(0, kEndpointTextMax)));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view address = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  Endpoint out;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    return wrong();
  }
  const bool brackets = address.starts_with('[') && address.ends_with(']');
  if (brackets) address = address.substr(1, address.size() - 2);
  if (address == "localhost") address = "127.0.0.1";
  if (!address.empty() || brackets) {
    const auto parsed = http::IpAddress::parse(address);
    if (!parsed || parsed->is_v4() == brackets) return wrong();
    out.address = parsed->str();
  }
  return out;
}

Result<Config> load_config(const std::optional<std::string>& path, const Variables& variables,
                           const Overrides& overrides) {
  Config config;
  std::vector<std::string> mistakes;
  if (path || cli::file_exists(kDefaultFile)) {
    const std::string file = path.value_or(kDefaultFile);
    if (auto read = read_config_file(file, config); !read) mistakes.push_back(read.error().context);
  }
  read_environment(variables, config, mistakes);
  read_overrides(overrides, config, mistakes);
  if (!mistakes.empty()) {
    return fail(errc::bad_config, fmt::format("{}", fmt::join(mistakes, "\n")));
  }
  return config;
}

boost::json::object to_json(const Config& config) {
  const auto set = [](bool is_set) { return is_set ? "set" : "not set"; };
  boost::json::object out;
  out["listen"] = config.listen.str();
  out["metrics_listen"] = config.metrics_listen ? config.metrics_listen->str() : "off";
  out["data_dir"] = config.data_dir;
  if (config.tls) {
    out["tls"] = {{"cert", config.tls->certificate}, {"key", config.tls->key}};
    if (!config.tls->client_ca.empty()) {
      out["tls"].get_object()["client_ca"] = config.tls->client_ca;
    }
    if (config.tls->ask == http::AskForCertificate::yes) {
      out["tls"].get_object()["ask_client_certificate"] = true;
    }
  } else {
    out["tls"] = nullptr;
  }
  out["trusted_proxies"] = to_json(config.trusted_proxies);
  out["egress"] = {{"allow", to_json(config.egress_allow)}};
  out["api"] = {{"auth", config.api_auth == ApiAuth::keys ? "keys" : "none"}};
  out["log"] = {{"level", telemetry::to_string(config.log.level)},
                {"format", config.log.format == telemetry::LogFormat::json ? "json" : "text"}};
  out["retention"] = {{"finished", format_duration(config.retention.finished)},
                      {"dead", format_duration(config.retention.dead)}};
  out["limits"] = {{"body_bytes_in_flight", format_size(config.limits.body_bytes_in_flight)},
                   {"connections", config.limits.connections},
                   {"wal_bytes", format_size(config.limits.wal_bytes)}};
  out["shutdown"] = {{"grace", format_duration(config.shutdown.grace)},
                     {"drain", format_duration(config.shutdown.drain)}};
  boost::json::array without;
  for (const auto part : config.scripts.allow_without) without.emplace_back(model::to_text(part));
  out["scripts"] = {{"workers", config.scripts.workers}, {"allow_without", std::move(without)}};
  out["master_key_file"] =
      config.master_key_file.empty() ? config.data_dir + "/master.key" : config.master_key_file;
  out["master_key_older_files"] = boost::json::array(config.master_key_older_files.begin(),
                                                     config.master_key_older_files.end());
  out["environment"] = {{"GRAPNEL_API_KEY", set(!config.api_key.empty())},
                        {"GRAPNEL_MASTER_KEY", set(!config.master_key.empty())},
                        {"GRAPNEL_MASTER_KEY_OLD", set(!config.older_master_keys.empty())}};
  return out;
}

}  // namespace grapnel::app
