#include "drivers/http/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "async/errors.h"
#include "base/units.h"
#include "drivers/http/errors.h"
#include "drivers/http/exchange.h"

namespace grapnel::http {
namespace {

namespace asio = boost::asio;
using model::AttemptStep;

}  // namespace

async::Task<std::expected<model::HttpAnswer, model::HttpFailure>> Call::run(model::HttpCall call) {
  plan_.started = now();
  auto plan = plan_call(std::move(call), plan_.started);
  if (!plan) {
    fail(std::move(plan.error()));
    co_return failed();
  }
  plan_ = std::move(*plan);
  Pool::Lease endpoint(state_.pool, plan_.url, plan_.call.ca_bundle);
  std::unique_ptr<Connection> connection = endpoint.take();
  if (connection) ++state_.stats.reuses;
  for (;;) {
    if (!connection) connection = co_await connect();
    if (!connection) co_return failed();
    Exchange exchange(plan_, *connection, state_.clock);
    const auto outcome = co_await exchange.run();
    timings_.first_byte_us = exchange.first_byte_us();
    if (outcome == Exchange::Outcome::stale) {
      ++state_.stats.second_tries;
      connection.reset();
      continue;
    }
    if (outcome == Exchange::Outcome::failed) {
      fail(std::move(exchange.failure()));
      co_return failed();
    }
    const Monotonic end = now();
    if (exchange.reusable()) endpoint.keep(std::move(connection), end);
    timings_.total_us = to_micros(end - plan_.started);
    exchange.answer().timings = timings_;
    co_return std::move(exchange.answer());
  }
}

/// Notes why the call fails; false, for the caller's convenience.
bool Call::fail(model::HttpFailure failure) {
  failure_ = std::move(failure);
  return false;
}

std::unexpected<model::HttpFailure> Call::failed() {
  timings_.total_us = to_micros(now() - plan_.started);
  failure_.timings = timings_;
  return std::unexpected(std::move(failure_));
}

async::Task<std::unique_ptr<Call::Connection>> Call::connect() {
  if (plan_.url.address) {
    addresses_ = {*plan_.url.address};
  } else if (!co_await resolve()) {
    co_return nullptr;
  }
  if (!pass_egress()) co_return nullptr;
  auto connection = std::make_unique<Connection>(state_.watchdog, state_.executor);
  if (!co_await connect_one_of(*connection)) co_return nullptr;
  if (plan_.url.scheme == Scheme::https && !co_await secure(*connection)) co_return nullptr;
  co_return connection;
}

async::Task<bool> Call::resolve() {
  const Monotonic begun = now();
  auto found = co_await state_.resolver.resolve(plan_.url.host, async::Deadline(plan_.deadline));
  timings_.dns_us = to_micros(now() - begun);
  if (found) {
    addresses_ = std::move(*found);
    co_return true;
  }
  if (found.error().code == async::errc::canceled) co_return fail(canceled_call());
  if (found.error().code == async::errc::timed_out) {
    co_return fail(timed_out_call(plan_, "looking up the name of"));
  }
  co_return fail(failed_at(AttemptStep::dns, found.error().message()));
}

/// Keeps the addresses that may be called; a name with none is refused.
bool Call::pass_egress() {
  std::optional<Error> refusal;
  std::erase_if(addresses_, [&](const IpAddress& address) {
    auto checked = state_.guard.check(address);
    if (!checked && !refusal) refusal = std::move(checked.error());
    return !checked.has_value();
  });
  if (addresses_.size() > kConnectAddressesMax) addresses_.resize(kConnectAddressesMax);
  if (!addresses_.empty()) return true;
  ++state_.stats.egress_refusals;
  return fail(
      failed_at(AttemptStep::egress, refusal ? refusal->message() : "the name has no address"));
}

/// One address after the other; each gets an equal share of what time is left.
async::Task<bool> Call::connect_one_of(Connection& connection) {
  const Monotonic begun = now();
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const auto left = plan_.deadline - now();
    connection.arm(now() + left / static_cast<int>(addresses_.size() - i));
    co_await connection.stream.connect(addresses_[i], plan_.url.port, error_);
    timings_.connect_us = to_micros(now() - begun);
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
      co_return fail(canceled_call());
    }
    if (!error_) {
      ++state_.stats.connects;
      co_return true;
    }
    fail(failed_at(AttemptStep::connect,
                   fmt::format("cannot connect to {} ({}): {}", plan_.where, addresses_[i].str(),
                               connection.expired() ? "no answer" : error_.message())));
  }
  if (connection.expired()) fail(timed_out_call(plan_, "connecting to"));
  co_return false;
}

async::Task<bool> Call::secure(Connection& connection) {
  const Monotonic begun = now();
  auto context = state_.trust.get(plan_.call.ca_bundle);
  if (!context) co_return fail(failed_at(AttemptStep::prepare, context.error().message()));
  connection.arm(plan_.deadline);
  co_await connection.stream.handshake_as_client(*context, plan_.url.host, error_);
  timings_.tls_us = to_micros(now() - begun);
  if (auto stop = co_await interruption(plan_, connection, "shaking hands (TLS) with")) {
    co_return fail(std::move(*stop));
  }
  if (!error_) co_return true;
  co_return fail(
      failed_at(AttemptStep::tls, connection.stream.describe_tls_failure(error_, plan_.url.host)));
}

}  // namespace grapnel::http
