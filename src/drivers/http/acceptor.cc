#include "drivers/http/acceptor.h"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>

#include "drivers/http/errors.h"
#include "drivers/http/limits.h"
#include "drivers/http/stream_impl.h"

namespace grapnel::http {

namespace asio = boost::asio;

struct Acceptor::Impl {
  explicit Impl(async::Executor executor) : acceptor(executor) {}

  Result<> listen(const Tcp::endpoint& endpoint, asio::ip::v6_only only_v6) {
    SocketError error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) acceptor.set_option(only_v6, error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kListenBacklog, error);
    if (!error) return {};
    SocketError ignored;
    acceptor.close(ignored);
    return fail(errc::listen_failed,
                fmt::format("cannot listen on {} port {}: {}", endpoint.address().to_string(),
                            endpoint.port(), error.message()));
  }

  void accepted(Stream& stream, const Tcp::endpoint& peer) const {
    SocketError ignored;
    stream.impl_->socket.set_option(Tcp::no_delay(true), ignored);
    stream.impl_->peer = to_address(peer);
    stream.impl_->peer_port = peer.port();
  }

  asio::basic_socket_acceptor<Tcp, async::Executor> acceptor;
};

Acceptor::Acceptor(async::Executor executor) : impl_(std::make_unique<Impl>(std::move(executor))) {}
Acceptor::~Acceptor() = default;

Result<> Acceptor::open(const std::string& address, std::uint16_t port) {
  if (address.empty()) {
    const Tcp::endpoint both(Tcp::v6(), port);
    if (impl_->listen(both, asio::ip::v6_only(false))) return {};
    return impl_->listen({Tcp::v4(), port}, asio::ip::v6_only(false));  // IPv6 is switched off
  }
  auto parsed = IpAddress::parse(address);
  if (!parsed) {
    return fail(errc::listen_failed,
                fmt::format("cannot listen on '{}': not an IP address", address));
  }
  return impl_->listen(to_endpoint(*parsed, port), asio::ip::v6_only(true));
}

std::uint16_t Acceptor::port() const {
  SocketError ignored;
  return impl_->acceptor.local_endpoint(ignored).port();
}

async::Task<std::optional<Stream>> Acceptor::accept(SocketError& error) {
  Stream stream(impl_->acceptor.get_executor());
  Tcp::endpoint peer;
  co_await impl_->acceptor.async_accept(stream.impl_->socket, peer,
                                        asio::redirect_error(async::use_task, error));
  if (error) co_return std::nullopt;
  impl_->accepted(stream, peer);
  co_return stream;
}

std::optional<Stream> Acceptor::accept_now() {
  SocketError error;
  impl_->acceptor.non_blocking(true, error);
  Stream stream(impl_->acceptor.get_executor());
  Tcp::endpoint peer;
  if (!error) impl_->acceptor.accept(stream.impl_->socket, peer, error);
  if (error) return std::nullopt;
  impl_->accepted(stream, peer);
  return stream;
}

void Acceptor::close() {
  SocketError ignored;
  impl_->acceptor.close(ignored);
}

bool Acceptor::is_open() const { return impl_->acceptor.is_open(); }

}  // namespace grapnel::http
