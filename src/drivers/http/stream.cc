#include "drivers/http/stream.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include "drivers/http/stream_impl.h"

namespace grapnel::http {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

auto into(SocketError& error) { return asio::redirect_error(async::use_task, error); }

/// Asks the peer's certificate to be for `host`.
void expect_host(SSL* handle, const std::string& host) {
  X509_VERIFY_PARAM* param = SSL_get0_param(handle);
  if (IpAddress::parse(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str());
    return;
  }
  SSL_set_tlsext_host_name(handle, host.c_str());
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size());
}

}  // namespace

Tcp::endpoint to_endpoint(const IpAddress& address, std::uint16_t port) {
  const auto& bytes = address.bytes();
  if (!address.is_v4()) return {asio::ip::address_v6(bytes), port};
  return {asio::ip::address_v4({bytes[0], bytes[1], bytes[2], bytes[3]}), port};
}

IpAddress to_address(const Tcp::endpoint& endpoint) {
  if (endpoint.address().is_v4()) return IpAddress::v4(endpoint.address().to_v4().to_uint());
  return IpAddress::v6(endpoint.address().to_v6().to_bytes()).unmapped();
}

bool is_end_of_stream(const SocketError& error) {
  return error == asio::error::eof || error == asio::error::connection_reset ||
         error == asio::error::broken_pipe || error == ssl::error::stream_truncated;
}

Stream::Stream(async::Executor executor) : impl_(std::make_unique<Impl>(std::move(executor))) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

async::Task<> Stream::connect(const IpAddress& address, std::uint16_t port, SocketError& error) {
  close();
  impl_->peer = address;
  impl_->peer_port = port;
  impl_->socket.open(address.is_v4() ? Tcp::v4() : Tcp::v6(), error);
  if (error) co_return;
  impl_->socket.set_option(Tcp::no_delay(true), error);
  co_await impl_->socket.async_connect(to_endpoint(address, port), into(error));
}

async::Task<> Stream::handshake_as_client(std::shared_ptr<const TlsContext> context,
                                          const std::string& host, SocketError& error) {
  impl_->context = std::move(context);
  impl_->tls = std::make_unique<ssl::stream<Socket&>>(impl_->socket, impl_->context->context);
  expect_host(impl_->tls->native_handle(), host);
  return impl_->tls->async_handshake(ssl::stream_base::client, into(error));
}

async::Task<> Stream::handshake_as_server(std::shared_ptr<const TlsContext> context,
                                          SocketError& error) {
  impl_->context = std::move(context);
  impl_->tls = std::make_unique<ssl::stream<Socket&>>(impl_->socket, impl_->context->context);
  return impl_->tls->async_handshake(ssl::stream_base::server, into(error));
}

std::vector<std::string> Stream::client_certificates() const {
  std::vector<std::string> out;
  if (!impl_->tls) return out;
  const auto add = [&out](X509* certificate) {
    unsigned char* der = nullptr;
    const int bytes = i2d_X509(certificate, &der);
    if (bytes > 0) out.emplace_back(reinterpret_cast<const char*>(der), bytes);
    OPENSSL_free(der);
  };
  SSL* session = impl_->tls->native_handle();
  X509* own = SSL_get0_peer_certificate(session);
  if (own == nullptr) return out;
  add(own);
  // On the server's side the chain is without it.
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(session);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) add(sk_X509_value(chain, i));
  return out;
}

std::string Stream::describe_tls_failure(const SocketError& error, std::string_view host) const {
  const long verdict = impl_->tls ? SSL_get_verify_result(impl_->tls->native_handle()) : X509_V_OK;
  switch (verdict) {
    case X509_V_OK: break;
    case X509_V_ERR_CERT_HAS_EXPIRED: return fmt::format("the certificate of {} has expired", host);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("the certificate of {} is not valid yet", host);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("the certificate shown is not for {} (name mismatch)", host);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // another CA of the same name, as clusters have
      return fmt::format("the certificate of {} is signed by an unknown CA ({})", host,
                         X509_verify_cert_error_string(verdict));
    default:
      return fmt::format("the certificate of {} is not accepted: {}", host,
                         X509_verify_cert_error_string(verdict));
  }
  if (is_end_of_stream(error)) {
    return fmt::format("{} ended the connection during the TLS handshake", host);
  }
  return fmt::format("TLS handshake with {} failed: {}", host, error.message());
}

async::Task<std::size_t> Stream::read_some(std::span<char> buffer, SocketError& error) {
  const asio::mutable_buffer out(buffer.data(), buffer.size());
  if (impl_->tls) return impl_->tls->async_read_some(out, into(error));
  return impl_->socket.async_read_some(out, into(error));
}

async::Task<std::size_t> Stream::write(std::string_view first, std::string_view second,
                                       SocketError& error) {
  const std::array<asio::const_buffer, 2> buffers = {
      asio::const_buffer(first.data(), first.size()),
      asio::const_buffer(second.data(), second.size())};
  if (impl_->tls) return asio::async_write(*impl_->tls, buffers, into(error));
  return asio::async_write(impl_->socket, buffers, into(error));
}

std::size_t Stream::write_now(std::string_view first, std::string_view second) {
  if (impl_->tls) return 0;
  std::array<iovec, 2> parts = {
      iovec{const_cast<char*>(first.data()), first.size()},  // the interface predates const
      iovec{const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = second.empty() ? 1 : 2;
  const ssize_t sent =
      sendmsg(impl_->socket.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void Stream::cancel() {
  SocketError ignored;
  impl_->socket.cancel(ignored);
}

void Stream::shutdown_send() {
  SocketError ignored;
  impl_->socket.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close() {
  SocketError ignored;
  impl_->socket.close(ignored);
  impl_->tls.reset();
}

std::size_t Stream::available() const {
  SocketError ignored;
  return impl_->socket.available(ignored);
}

bool Stream::is_stale() const {
  char byte = 0;
  const ssize_t got = recv(impl_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

const IpAddress& Stream::peer_address() const { return impl_->peer; }

std::string Stream::peer_text() const {
  return fmt::format(fmt::runtime(impl_->peer.is_v4() ? "{}:{}" : "[{}]:{}"), impl_->peer.str(),
                     impl_->peer_port);
}

}  // namespace grapnel::http
