#include "app/config_file.h"

#include <fmt/format.h>

#include "app/errors.h"
#include "crypto/limits.h"
#include "model/json_reader.h"
#include "model/texts.h"
#include "surface/cli/files.h"
#include "surface/cli/limits.h"
#include "surface/cli/yaml.h"

namespace grapnel::app {
namespace {

using model::Mistakes;
using model::ObjectReader;

/// Notes what is wrong with a field's text, or assigns what it says.
template <class T, class Parse>
void take_text(ObjectReader& fields, std::string_view name, std::size_t bytes_max, Parse parse,
               T& to) {
  const auto text = fields.text(name, 1, bytes_max);
  if (!text) return;
  auto parsed = parse(*text);
  if (!parsed) {
    fields.mistakes().add(fields.path_of(name), parsed.error().message());
  } else {
    to = std::move(*parsed);
  }
}

template <class T>
void assign(std::optional<T> from, auto& to) {
  if (from) to = static_cast<std::remove_reference_t<decltype(to)>>(std::move(*from));
}

void take_cidrs(ObjectReader& fields, std::string_view name, std::vector<http::Cidr>& to) {
  const auto texts = fields.text_list(name, kCidrsMax, kEndpointTextMax);
  if (!texts) return;
  to.clear();
  for (std::size_t i = 0; i < texts->size(); ++i) {
    auto cidr = parse_cidr((*texts)[i]);
    if (!cidr) {
      fields.mistakes().add(fmt::format("{}[{}]", fields.path_of(name), i), cidr.error().message());
    } else {
      to.push_back(*cidr);
    }
  }
}

/// Reads a mapping inside the document; nothing when it is absent or null (nothing set in it).
template <class Read>
void take_part(ObjectReader& fields, std::string_view name, Read read) {
  const boost::json::value* value = fields.take(name);
  if (!value || value->is_null()) return;
  ObjectReader part(*value, fields.path_of(name), fields.mistakes());
  read(part);
  part.finish();
}

void take_tls(ObjectReader& fields, Config& config) {
  take_part(fields, "tls", [&](ObjectReader& part) {
    http::TlsFiles files;
    assign(part.text("cert", 1, kPathBytesMax), files.certificate);
    assign(part.text("key", 1, kPathBytesMax), files.key);
    assign(part.text("client_ca", 1, kPathBytesMax), files.client_ca);
    if (part.boolean("ask_client_certificate").value_or(false)) {
      files.ask = http::AskForCertificate::yes;
    }
    if (files.certificate.empty() || files.key.empty()) {
      part.mistakes().add(fields.path_of("tls"), "expected cert and key, the paths of PEM files");
    }
    config.tls = std::move(files);
  });
}

void take_limits(ObjectReader& fields, Limits& limits) {
  take_part(fields, "limits", [&](ObjectReader& part) {
    assign(part.size("body_bytes_in_flight", kBodyBytesInFlightSettingMin,
                     kBodyBytesInFlightSettingMax),
           limits.body_bytes_in_flight);
    assign(part.integer("connections", kConnectionsSettingMin, kConnectionsSettingMax),
           limits.connections);
    assign(part.size("wal_bytes", kWalBytesSettingMin, kWalBytesSettingMax), limits.wal_bytes);
  });
}

void take_shutdown(ObjectReader& fields, Shutdown& shutdown) {
  take_part(fields, "shutdown", [&](ObjectReader& part) {
    assign(part.duration("grace", Millis{0}, kDrainMax), shutdown.grace);
    assign(part.duration("drain", Millis{0}, kDrainMax), shutdown.drain);
    if (shutdown.drain < shutdown.grace) {
      part.mistakes().add("shutdown.drain",
                          "expected at least as long as shutdown.grace, which is part of it");
    }
  });
}

void take_listeners(ObjectReader& fields, Config& config) {
  take_text(fields, "listen", kEndpointTextMax, parse_endpoint, config.listen);
  const auto optional_endpoint = [](std::string_view text) -> Result<std::optional<Endpoint>> {
    if (text == "off") return std::optional<Endpoint>();
    auto endpoint = parse_endpoint(text);
    if (!endpoint) {
      return fail(errc::bad_config, endpoint.error().context + "; or off");
    }
    return std::optional<Endpoint>(std::move(*endpoint));
  };
  take_text(fields, "metrics_listen", kEndpointTextMax, optional_endpoint, config.metrics_listen);
}

Result<ApiAuth> parse_auth(std::string_view text) {
  if (text == "keys") return ApiAuth::keys;
  if (text == "none") return ApiAuth::none;
  return fail(errc::bad_config,
              fmt::format("expected keys or none, given '{}'", text.substr(0, kEndpointTextMax)));
}

void take_scripts(ObjectReader& part, Scripts& scripts) {
  if (const auto workers = part.integer("workers", 1, js::kWorkersMax)) {
    scripts.workers = static_cast<int>(*workers);
  }
  const auto names = part.text_list("allow_without", model::kSecretNamesMax, kEndpointTextMax);
  if (!names) return;
  scripts.allow_without.clear();
  for (const auto& name : *names) {
    const auto known = model::from_text<model::SandboxPart>(name);
    if (known) {
      scripts.allow_without.push_back(*known);
    } else {
      part.mistakes().add("scripts.allow_without",
                          fmt::format("expected seccomp or memory, given '{}'", name));
    }
  }
}

void take_all(ObjectReader& fields, Config& config) {
  take_listeners(fields, config);
  assign(fields.text("data_dir", 1, kPathBytesMax), config.data_dir);
  take_tls(fields, config);
  take_cidrs(fields, "trusted_proxies", config.trusted_proxies);
  take_part(fields, "egress",
            [&](ObjectReader& part) { take_cidrs(part, "allow", config.egress_allow); });
  take_part(fields, "api", [&](ObjectReader& part) {
    take_text(part, "auth", kEndpointTextMax, parse_auth, config.api_auth);
  });
  take_part(fields, "log", [&](ObjectReader& part) {
    take_text(part, "level", kEndpointTextMax, parse_log_level, config.log.level);
    take_text(part, "format", kEndpointTextMax, parse_log_format, config.log.format);
  });
  take_part(fields, "retention", [&](ObjectReader& part) {
    assign(part.duration("finished", kRetentionMin, kRetentionMax), config.retention.finished);
    assign(part.duration("dead", kRetentionMin, kRetentionMax), config.retention.dead);
  });
  take_limits(fields, config.limits);
  take_shutdown(fields, config.shutdown);
  take_part(fields, "scripts", [&](ObjectReader& part) { take_scripts(part, config.scripts); });
  assign(fields.text("master_key_file", 1, kPathBytesMax), config.master_key_file);
  assign(fields.text_list("master_key_older_files", crypto::kOlderKeysMax, kPathBytesMax),
         config.master_key_older_files);
  fields.finish();
}

}  // namespace

Result<http::Cidr> parse_cidr(std::string_view text) {
  auto cidr = http::Cidr::parse(text);
  if (cidr) return *cidr;
  // Where the address is right, the driver's sentence says what is wrong with the prefix.
  if (http::IpAddress::parse(text.substr(0, text.find('/')))) {
    return fail(errc::bad_config, cidr.error().message());
  }
  return fail(errc::bad_config, fmt::format("expected a CIDR such as 10.0.0.0/8, given '{}'",
                                            text.substr(0, kEndpointTextMax)));
}

Result<telemetry::Level> parse_log_level(std::string_view text) {
  if (const auto level = telemetry::parse_level(text)) return *level;
  return fail(errc::bad_config, fmt::format("expected debug, info, warn, error or off, given '{}'",
                                            text.substr(0, kEndpointTextMax)));
}

Result<telemetry::LogFormat> parse_log_format(std::string_view text) {
  if (text == "json") return telemetry::LogFormat::json;
  if (text == "text") return telemetry::LogFormat::text;
  return fail(errc::bad_config,
              fmt::format("expected json or text, given '{}'", text.substr(0, kEndpointTextMax)));
}

Result<> read_config_file(const std::string& file, Config& config) {
  auto text = cli::read_file(file, cli::kYamlBytesMax);
  if (!text) return fail(errc::bad_config, text.error().context);
  auto documents = cli::parse_yaml(*text, file);
  if (!documents) return fail(errc::bad_config, documents.error().context);
  if (documents->empty()) return {};
  if (documents->size() > 1) {
    return fail(errc::bad_config,
                fmt::format("{}:{}: expected one document", file, (*documents)[1].lines.line()));
  }
  const cli::YamlDocument& document = documents->front();
  if (document.value.is_null()) return {};
  Mistakes mistakes;
  ObjectReader fields(document.value, "", mistakes);
  take_all(fields, config);
  if (!mistakes.any()) return {};
  return fail(errc::bad_config,
              cli::with_lines(mistakes.error().error().context, file, document.lines, ""));
}

}  // namespace grapnel::app
