#include "drivers/http/client.h"

#include "async/scope.h"
#include "drivers/http/call.h"
#include "drivers/http/url.h"

namespace grapnel::http {
namespace {

namespace asio = boost::asio;

/// Time-outs of calls are whole seconds; this is a fortieth of the shortest.
constexpr std::chrono::milliseconds kTick{25};
static_assert(kTick <= kTickMax);

}  // namespace

struct Client::Impl {
  Impl(async::Executor executor, Resolver& resolver, EgressGuard guard, ClientOptions options)
      : calls_max(options.calls_max),
        state{.executor = executor,
              .resolver = resolver,
              .guard = std::move(guard),
              .trust = {},
              .watchdog = Watchdog(executor, kTick),
              .pool = Pool({.idle_per_endpoint_max = options.idle_per_endpoint_max,
                            .idle_max = options.idle_max,
                            .idle_timeout = options.idle_timeout}),
              .stats = {},
              .clock = {}},
        scope(executor) {
    scope.spawn(state.watchdog.run());
  }

  std::size_t calls_max;
  CallState state;
  async::Scope scope;
};

Client::Client(async::Executor executor, Resolver& resolver, EgressGuard guard,
               ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(executor), resolver, std::move(guard), options)) {}

Client::~Client() { impl_->state.pool.clear(); }

Result<> Client::check_url(std::string_view url) const {
  const auto parsed = parse_url(url);
  if (!parsed) return std::unexpected(parsed.error());
  return {};
}

async::Task<std::expected<model::HttpAnswer, model::HttpFailure>> Client::send(
    model::HttpCall call) {
  // A canceled call is an ordinary failure to its caller, so operations return instead of throwing.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  struct InFlight {
    std::size_t& count;
    ~InFlight() { --count; }
  };
  CallState& state = impl_->state;
  const InFlight in_flight{++state.stats.in_flight};
  std::expected<model::HttpAnswer, model::HttpFailure> result;
  if (state.stats.in_flight > impl_->calls_max) {
    ++state.stats.refused_busy;
    result = std::unexpected(model::HttpFailure{.step = model::AttemptStep::connect,
                                                .message = "too many outgoing calls at a time"});
  } else {
    Call running(state);
    result = co_await running.run(std::move(call));
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return result;
}

async::Task<> Client::stop() {
  impl_->state.pool.clear();
  impl_->scope.cancel();
  co_await impl_->scope.join();
}

ClientStats Client::stats() const {
  ClientStats out = impl_->state.stats;
  out.idle = impl_->state.pool.idle();
  return out;
}

}  // namespace grapnel::http
