// Private to this room: what a Stream is, and how our addresses become Asio's.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "drivers/http/stream.h"
#include "drivers/http/tls_context.h"

namespace grapnel::http {

using Tcp = boost::asio::ip::tcp;
using Socket = boost::asio::basic_stream_socket<Tcp, async::Executor>;

struct Stream::Impl {
  explicit Impl(async::Executor executor) : socket(executor) {}

  Socket socket;
  std::shared_ptr<const TlsContext> context;  // outlives `tls`
  std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls;
  IpAddress peer;
  std::uint16_t peer_port = 0;
};

Tcp::endpoint to_endpoint(const IpAddress& address, std::uint16_t port);
/// An IPv4 peer of a dual-stack socket becomes an IPv4 address.
IpAddress to_address(const Tcp::endpoint& endpoint);

}  // namespace grapnel::http
