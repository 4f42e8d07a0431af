#include "drivers/http/dns_channel.h"

#include <ares.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "drivers/http/errors.h"
#include "drivers/http/limits.h"

namespace grapnel::http {
namespace {

namespace asio = boost::asio;

struct Question {
  std::string host;
  DnsChannel::Done done;
};

struct FreeAddrinfo {
  void operator()(ares_addrinfo* found) const { ares_freeaddrinfo(found); }
};

/// c-ares wants one process-wide initialisation.
void init_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) throw std::runtime_error(ares_strerror(status));
}

DnsAnswer failed(int status, const std::string& host) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_ENONAME:
    case ARES_EBADNAME:
    case ARES_SUCCESS:  // no address came with it
      return {fail(errc::name_not_found, fmt::format("the name {} does not exist", host)),
              kNameAbsentTtl};
    case ARES_ETIMEOUT:
      return {fail(errc::name_lookup_failed,
                   fmt::format("the name servers did not answer for {}", host)),
              kNameFailedTtl};
    default:
      return {fail(errc::name_lookup_failed,
                   fmt::format("looking up {} failed: {}", host, ares_strerror(status))),
              kNameFailedTtl};
  }
}

std::optional<IpAddress> address_of(const ares_addrinfo_node& node) {
  if (node.ai_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, node.ai_addr, sizeof in);
    return IpAddress::v4(ntohl(in.sin_addr.s_addr));
  }
  if (node.ai_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, node.ai_addr, sizeof in);
    IpAddress::Bytes bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return IpAddress::v6(bytes);
  }
  return std::nullopt;
}

DnsAnswer answer_of(const ares_addrinfo& found, const std::string& host) {
  std::vector<IpAddress> addresses;
  auto ttl = kNameTtlMax;
  for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
    ttl = std::min(ttl, std::chrono::seconds(node->ai_ttl));
    const auto address = address_of(*node);
    if (!address || addresses.size() == kAddressesPerNameMax) continue;
    if (std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
  }
  if (addresses.empty()) return failed(ARES_ENODATA, host);
  return {std::move(addresses), std::max(ttl, kNameTtlMin)};
}

}  // namespace

struct DnsChannel::Socket {
  explicit Socket(async::Executor executor) : descriptor(executor) {}

  asio::posix::basic_stream_descriptor<async::Executor> descriptor;
  bool wants_read = false;
  bool wants_write = false;
  bool reading = false;
  bool writing = false;
};

DnsChannel::DnsChannel(async::Executor executor) : executor_(executor), timer_(executor) {}

DnsChannel::~DnsChannel() { close(); }

std::shared_ptr<DnsChannel> DnsChannel::open(async::Executor executor,
                                             const std::string& name_servers,
                                             std::chrono::milliseconds server_timeout, int tries) {
  init_library();
  std::shared_ptr<DnsChannel> out(new DnsChannel(std::move(executor)));
  ares_options options{};
  options.timeout = static_cast<int>(server_timeout.count());
  options.tries = tries;
  options.sock_state_cb = &DnsChannel::on_socket_state;
  options.sock_state_cb_data = out.get();
  int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  // Servers given by hand answer for whole names; the search list belongs to resolv.conf.
  if (!name_servers.empty()) mask |= ARES_OPT_DOMAINS;
  if (const int status = ares_init_options(&out->channel_, &options, mask);
      status != ARES_SUCCESS) {
    throw std::runtime_error(
        fmt::format("name resolution cannot start: {}", ares_strerror(status)));
  }
  if (name_servers.empty()) return out;
  if (ares_set_servers_ports_csv(out->channel_, name_servers.c_str()) != ARES_SUCCESS) {
    throw std::runtime_error(fmt::format("'{}' is no list of name servers", name_servers));
  }
  return out;
}

void DnsChannel::close() {
  if (channel_ == nullptr) return;
  ares_destroy(std::exchange(channel_, nullptr));  // calls back for every question and socket
  sockets_.clear();
  timer_.cancel();
}

void DnsChannel::ask(const std::string& host, Done done) {
  if (channel_ == nullptr) {
    done(failed(ARES_EDESTRUCTION, host));
    return;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  // on_answer takes the question back.
  auto question = std::make_unique<Question>(Question{host, std::move(done)});
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &DnsChannel::on_answer,
                   question.release());
  set_timer();
}

void DnsChannel::on_answer(void* raw_question, int status, int, ares_addrinfo* raw_found) {
  const std::unique_ptr<Question> question(static_cast<Question*>(raw_question));
  const std::unique_ptr<ares_addrinfo, FreeAddrinfo> found(raw_found);
  question->done(status == ARES_SUCCESS && found ? answer_of(*found, question->host)
                                                 : failed(status, question->host));
}

void DnsChannel::on_socket_state(void* self, int descriptor, int readable, int writable) {
  static_cast<DnsChannel*>(self)->watch(descriptor, readable, writable);
}

void DnsChannel::watch(int descriptor, int readable, int writable) {
  auto at = sockets_.find(descriptor);
  if (readable == 0 && writable == 0) {
    if (at == sockets_.end()) return;
    at->second->descriptor.release();  // c-ares closes it
    sockets_.erase(at);
    return;
  }
  if (at == sockets_.end()) {
    at = sockets_.emplace(descriptor, std::make_shared<Socket>(executor_)).first;
    boost::system::error_code ignored;  // a socket that cannot be watched times out
    at->second->descriptor.assign(descriptor, ignored);
  }
  at->second->wants_read = readable != 0;
  at->second->wants_write = writable != 0;
  wait_on(at->second);
}

void DnsChannel::wait_on(const std::shared_ptr<Socket>& socket) {
  const auto wait = [this, &socket](asio::posix::descriptor_base::wait_type type,
                                    bool Socket::* busy) {
    (*socket).*busy = true;
    socket->descriptor.async_wait(
        type, [self = shared_from_this(), socket, type, busy](boost::system::error_code error) {
          (*socket).*busy = false;
          if (error || !socket->descriptor.is_open() || self->channel_ == nullptr) return;
          const int descriptor = socket->descriptor.native_handle();
          const bool reads = type == asio::posix::descriptor_base::wait_read;
          self->process(reads ? descriptor : ARES_SOCKET_BAD, reads ? ARES_SOCKET_BAD : descriptor);
          if (socket->descriptor.is_open()) self->wait_on(socket);
        });
  };
  if (!socket->descriptor.is_open()) return;
  if (socket->wants_read && !socket->reading) {
    wait(asio::posix::descriptor_base::wait_read, &Socket::reading);
  }
  if (socket->wants_write && !socket->writing) {
    wait(asio::posix::descriptor_base::wait_write, &Socket::writing);
  }
}

void DnsChannel::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  set_timer();
}

void DnsChannel::set_timer() {
  timeval buffer{};
  // An answer's callback may have closed the channel.
  const timeval* wait = channel_ == nullptr ? nullptr : ares_timeout(channel_, nullptr, &buffer);
  if (wait == nullptr) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::chrono::seconds(wait->tv_sec) +
                       std::chrono::microseconds(wait->tv_usec));
  timer_.async_wait([self = weak_from_this()](boost::system::error_code error) {
    const auto channel = self.lock();
    if (error || !channel || channel->channel_ == nullptr) return;
    channel->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

}  // namespace grapnel::http
