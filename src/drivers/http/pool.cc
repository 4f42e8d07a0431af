#include "drivers/http/pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace grapnel::http {

void ClientConnection::interrupt() {
  if (resting_in_ == nullptr) {
    stream.cancel();
  } else {
    resting_in_->drop(*this);  // ends this object
  }
}

Pool::Lease::Lease(Pool& pool, const Url& url, const std::shared_ptr<const std::string>& ca_bundle)
    : pool_(pool), endpoint_(pool.find_or_add(url, ca_bundle)) {
  ++endpoint_.users;
}

Pool::Lease::~Lease() {
  --endpoint_.users;
  pool_.forget_if_unused(endpoint_);
}

std::unique_ptr<ClientConnection> Pool::Lease::take() {
  while (!endpoint_.idle.empty()) {
    auto connection = std::move(endpoint_.idle.back());
    endpoint_.idle.pop_back();
    --pool_.idle_;
    connection->resting_in_ = nullptr;
    connection->unlink();
    if (!connection->stream.is_stale()) return connection;
  }
  return nullptr;
}

void Pool::Lease::keep(std::unique_ptr<ClientConnection> connection, Monotonic now) {
  if (endpoint_.idle.size() >= pool_.limits_.idle_per_endpoint_max) return;
  if (pool_.idle_ >= pool_.limits_.idle_max) {
    if (pool_.resting_.empty()) return;
    pool_.drop(pool_.resting_.front());
  }
  connection->buffer.shrink();
  connection->origin = ClientConnection::Origin::kept;
  connection->resting_in_ = &pool_;
  connection->endpoint_ = &endpoint_;
  connection->arm(now + pool_.limits_.idle_timeout);
  pool_.resting_.push_back(*connection);
  endpoint_.idle.push_back(std::move(connection));
  ++pool_.idle_;
}

void Pool::clear() {
  for (auto at = endpoints_.begin(); at != endpoints_.end();) {
    Endpoint& endpoint = (at++)->second;
    idle_ -= endpoint.idle.size();
    endpoint.idle.clear();
    forget_if_unused(endpoint);
  }
}

Pool::Endpoint& Pool::find_or_add(const Url& url,
                                  const std::shared_ptr<const std::string>& ca_bundle) {
  key_.clear();
  fmt::format_to(std::back_inserter(key_), "{}{}:{} {}", url.scheme == Scheme::https ? 's' : 'p',
                 url.host, url.port, static_cast<const void*>(ca_bundle.get()));
  const auto [at, added] = endpoints_.try_emplace(key_);
  if (added) {
    at->second.key = &at->first;
    at->second.ca_bundle = ca_bundle;
  }
  return at->second;
}

void Pool::drop(ClientConnection& connection) {
  Endpoint& endpoint = *static_cast<Endpoint*>(connection.endpoint_);
  const auto at =
      std::ranges::find(endpoint.idle, &connection, [](const auto& idle) { return idle.get(); });
  endpoint.idle.erase(at);
  --idle_;
  forget_if_unused(endpoint);
}

void Pool::forget_if_unused(Endpoint& endpoint) {
  if (endpoint.users == 0 && endpoint.idle.empty()) endpoints_.erase(std::string(*endpoint.key));
}

}  // namespace grapnel::http
