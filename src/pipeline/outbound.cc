#include "pipeline/outbound.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/version.h"

namespace grapnel::pipeline {
namespace {

using model::Action;
using model::ForwardHeaders;
using model::Header;
using model::HeaderList;

bool starts_with(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && model::same_name(name.substr(0, prefix.size()), prefix);
}

bool is_listed(const ForwardHeaders& forward, std::string_view name) {
  return std::ranges::any_of(
      forward.names, [name](const std::string& listed) { return model::same_name(listed, name); });
}

/// Adds headers of lower precedence: a name that a higher one set is left out, duplicates within
/// `lower` stay.
void add_lower(HeaderList& out, HeaderList lower) {
  const std::size_t set = out.size();
  for (auto& header : lower) {
    const auto same = [&header](const Header& higher) {
      return model::same_name(higher.name, header.name);
    };
    if (std::any_of(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(set), same)) continue;
    out.push_back(std::move(header));
  }
}

HeaderList forwarded(const model::Source& source, const Action& action,
                     const HeaderList& received) {
  HeaderList out;
  if (action.forward_headers.kind == ForwardHeaders::Kind::none) return out;
  for (const auto& header : received) {
    if (!is_forwardable(source, header.name)) continue;
    if (action.forward_headers.kind == ForwardHeaders::Kind::list &&
        !is_listed(action.forward_headers, header.name)) {
      continue;
    }
    out.push_back(header);
  }
  // RFC 9110 section 7.6.1: what Connection names is for one hop only.
  for (const auto& header : received) {
    if (!model::same_name(header.name, "Connection")) continue;
    std::erase_if(out, [&header](const Header& candidate) {
      std::string_view rest = header.value;
      while (!rest.empty()) {
        std::string_view token = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), token.size() + 1));
        while (!token.empty() && (token.front() == ' ' || token.front() == '\t'))
          token.remove_prefix(1);
        while (!token.empty() && (token.back() == ' ' || token.back() == '\t'))
          token.remove_suffix(1);
        if (model::same_name(token, candidate.name)) return true;
      }
      return false;
    });
  }
  return out;
}

}  // namespace

bool is_forwardable(const model::Source& source, std::string_view given) {
  // CGI and WSGI receivers read X_Forwarded_For as X-Forwarded-For.
  std::string name(given);
  std::ranges::replace(name, '_', '-');
  // Ours, the hop's, and what receivers believe of the last proxy (RFC 7239, httpoxy).
  static constexpr std::array<std::string_view, 14> kOurs{
      "Host",        "Content-Length",          "Expect",           "User-Agent", "X-Delivery-ID",
      "traceparent", "X-Webhook-Signature-256", "Accept-Encoding",  "Via",        "Forwarded",
      "X-Real-IP",   "True-Client-IP",          "CF-Connecting-IP", "Proxy"};
  if (std::ranges::any_of(
          kOurs, [&name](std::string_view ours) { return model::same_name(ours, name); })) {
    return false;
  }
  return !model::is_hop_by_hop(name) && !starts_with(name, "webhook-") &&
         !starts_with(name, "X-Forwarded-") && !starts_with(name, "X-Grapnel-") &&
         !model::is_secret_header(source, given);
}

HeaderList outbound_headers(const model::Source& source, const Action& action,
                            const model::Event& event, const model::Delivery& delivery,
                            int attempt_number, HeaderList signed_headers,
                            std::string_view traceparent) {
  HeaderList out = std::move(signed_headers);
  const std::string event_id = delivery.event.str();
  if (!model::find_header(out, "webhook-id")) out.push_back({"webhook-id", event_id});
  out.push_back({"X-Delivery-ID", event_id});
  out.push_back({"X-Grapnel-Delivery", delivery.id.str()});
  out.push_back({"X-Grapnel-Attempt", fmt::format("{}", attempt_number)});
  if (!traceparent.empty()) out.push_back({"traceparent", std::string(traceparent)});
  out.push_back({"User-Agent", fmt::format("Grapnel/{}", kVersion)});
  add_lower(out, action.headers);
  add_lower(out, event.set_headers);
  model::HeaderList sender = forwarded(source, action, event.headers);
  for (const auto& name : event.removed_headers) model::remove_header(sender, name);
  add_lower(out, std::move(sender));
  if (!model::find_header(out, "Content-Type"))
    out.push_back({"Content-Type", "application/octet-stream"});
  return out;
}

HeaderList recorded_headers(const Action& action, const HeaderList& sent) {
  HeaderList out = sent;
  for (auto& header : out) {
    if (model::hides_header(action, header.name)) header.value = "[cut]";
  }
  return out;
}

}  // namespace grapnel::pipeline
