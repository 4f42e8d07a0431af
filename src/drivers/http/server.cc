#include "drivers/http/server.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>

#include "async/scope.h"
#include "async/timers.h"
#include "base/check.h"
#include "drivers/http/acceptor.h"
#include "drivers/http/connection.h"

namespace grapnel::http {
class Server::Impl {
 public:
  Impl(async::Executor executor, ServerOptions options, model::HttpHandler& handler)
      : executor_(executor),
        timers_(executor),
        state_(executor, std::move(options), handler),
        acceptor_(executor),
        drained_(executor),
        scope_(executor) {}

  Result<> start();
  void begin_drain();
  async::Task<> stop(async::Deadline deadline);
  ServerStats stats() const;

  std::uint16_t port = 0;

 private:
  async::Task<> accept_all();
  async::Task<> watch_tls_files();
  Result<> load_tls();
  async::Task<> serve(Stream stream);
  void take(Stream stream);
  bool end_oldest_idle();
  void connection_ended();

  async::Executor executor_;
  async::SystemTimers timers_;
  ServerState state_;
  Acceptor acceptor_;
  std::size_t connections_ = 0;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    async::Executor>
      drained_;  // canceled when the last connection of a drain has ended
  async::Scope scope_;
};

Result<> Server::Impl::start() {
  if (state_.options.tls) {
    if (auto loaded = load_tls(); !loaded) return loaded;
  }
  if (auto opened = acceptor_.open(state_.options.address, state_.options.port); !opened) {
    return opened;
  }
  port = acceptor_.port();
  scope_.spawn(state_.watchdog.run());
  scope_.spawn(accept_all());
  if (state_.options.tls) scope_.spawn(watch_tls_files());
  return {};
}

async::Task<> Server::Impl::accept_all() {
  while (!state_.draining) {
    SocketError error;
    auto stream = co_await acceptor_.accept(error);
    if (stream) {
      take(std::move(*stream));
    } else if (!state_.draining) {
      ++state_.stats.accept_failures;
      end_oldest_idle();
      if (!co_await timers_.sleep_for(kAcceptRetry)) co_return;
    }
  }
}

void Server::Impl::take(Stream stream) {
  ++state_.stats.accepted;
  if (connections_ >= state_.options.connections_max && !end_oldest_idle()) {
    ++state_.stats.refused;
    return;
  }
  ++connections_;
  scope_.spawn(serve(std::move(stream)));
}

async::Task<> Server::Impl::serve(Stream stream) {
  struct Counted {
    Impl& impl;
    ~Counted() { impl.connection_ended(); }
  };
  const Counted counted{*this};
  Connection connection(state_, std::move(stream));
  co_await connection.run();
}

void Server::Impl::connection_ended() {
  --connections_;
  if (connections_ == 0 && state_.draining) drained_.cancel();
}

bool Server::Impl::end_oldest_idle() {
  if (state_.idle->empty()) return false;
  state_.idle->front().end_idle();
  ++state_.stats.evicted;
  return true;
}

async::Task<> Server::Impl::watch_tls_files() {
  std::string seen = fingerprint(*state_.options.tls);
  while (co_await timers_.sleep_for(state_.options.tls_check_interval)) {
    std::string now = fingerprint(*state_.options.tls);
    if (now == seen) continue;
    // A failure is tried again when the files change again; half-written pairs end so.
    seen = std::move(now);
    const auto loaded = load_tls();
    if (state_.options.on_tls_reload) state_.options.on_tls_reload(loaded);
  }
}

Result<> Server::Impl::load_tls() {
  auto loaded = load_server_tls(*state_.options.tls);
  if (!loaded) return fail(std::move(loaded.error()));
  state_.tls = std::move(*loaded);
  return {};
}

void Server::Impl::begin_drain() {
  if (std::exchange(state_.draining, true)) return;
  // Peers that the kernel has connected already would be reset by closing the listener.
  for (int i = 0; i < kListenBacklog && acceptor_.is_open(); ++i) {
    auto stream = acceptor_.accept_now();
    if (!stream) break;
    take(std::move(*stream));
  }
  acceptor_.close();
  while (!state_.idle->empty()) state_.idle->front().end_idle();
}

async::Task<> Server::Impl::stop(async::Deadline deadline) {
  begin_drain();
  while (connections_ > 0 && !deadline.passed(timers_.now())) {
    drained_.expires_at(deadline.at());
    boost::system::error_code ignored;
    co_await drained_.async_wait(boost::asio::redirect_error(async::use_task, ignored));
  }
  scope_.cancel();
  co_await scope_.join();
}

ServerStats Server::Impl::stats() const {
  ServerStats out = state_.stats;
  out.connections = connections_;
  out.idle = state_.idle->size();
  out.body_bytes = state_.bodies.bytes();
  return out;
}

Server::Server(async::Executor executor, ServerOptions options, model::HttpHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(options), handler)) {}
Server::~Server() = default;

Result<> Server::start() { return impl_->start(); }
std::uint16_t Server::port() const { return impl_->port; }
void Server::begin_drain() { impl_->begin_drain(); }
async::Task<> Server::stop(async::Deadline deadline) { return impl_->stop(deadline); }
ServerStats Server::stats() const { return impl_->stats(); }

}  // namespace grapnel::http
