#include "drivers/http/resolver.h"

#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <list>
#include <unordered_map>

#include "async/errors.h"
#include "drivers/http/dns_channel.h"
#include "drivers/http/errors.h"

namespace grapnel::http {
namespace {

namespace asio = boost::asio;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, async::Executor>;
using Addresses = Result<std::vector<IpAddress>>;

/// One question under way and those that wait for it.
struct Lookup {
  std::optional<Addresses> addresses;
  std::list<Timer*> waiters;
};

/// A waiter's timer in the list of its lookup, for as long as the waiter's frame lives.
class Waiting {
 public:
  Waiting(async::Executor executor, std::shared_ptr<Lookup> lookup, std::size_t& waiting)
      : timer(executor), lookup_(std::move(lookup)), waiting_(waiting) {
    place_ = lookup_->waiters.insert(lookup_->waiters.end(), &timer);
    ++waiting_;
  }
  ~Waiting() {
    lookup_->waiters.erase(place_);
    --waiting_;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  Timer timer;

 private:
  std::shared_ptr<Lookup> lookup_;
  std::size_t& waiting_;
  std::list<Timer*>::iterator place_;
};

}  // namespace

class Resolver::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(async::Executor loop, ResolverOptions options)
      : executor(loop),
        channel_(
            DnsChannel::open(loop, options.name_servers, options.server_timeout, options.tries)) {}

  void close() { channel_->close(); }

  std::optional<Addresses> cached(const std::string& host) {
    const auto found = cache_.find(host);
    if (found == cache_.end()) return std::nullopt;
    if (found->second.until <= std::chrono::steady_clock::now()) {
      cache_.erase(found);
      return std::nullopt;
    }
    return found->second.addresses;
  }

  /// Null when too many look-ups are under way.
  std::shared_ptr<Lookup> join(const std::string& host) {
    if (waiters >= kLookupWaitersMax) return nullptr;
    if (const auto known = lookups_.find(host); known != lookups_.end()) return known->second;
    if (lookups_.size() >= kLookupsMax) return nullptr;
    auto lookup = std::make_shared<Lookup>();
    lookups_.emplace(host, lookup);
    ++stats.lookups;
    channel_->ask(host, [self = weak_from_this(), host, lookup](DnsAnswer answer) {
      lookup->addresses = answer.addresses;
      for (Timer* waiter : lookup->waiters) waiter->cancel();
      if (const auto impl = self.lock()) impl->finish(host, std::move(answer));
    });
    return lookup;
  }

  void finish(const std::string& host, DnsAnswer answer) {
    lookups_.erase(host);
    if (!answer.addresses) ++stats.failures;
    make_room();
    cache_.insert_or_assign(
        host, Cached{std::move(answer.addresses), std::chrono::steady_clock::now() + answer.ttl});
  }

  async::Executor executor;
  ResolverStats stats;
  std::size_t waiters = 0;

 private:
  struct Cached {
    Addresses addresses;
    Monotonic until;
  };

  void make_room() {
    if (cache_.size() < kNamesCachedMax) return;
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(cache_, [now](const auto& entry) { return entry.second.until <= now; });
    if (cache_.size() >= kNamesCachedMax) cache_.erase(cache_.begin());
  }

  std::unordered_map<std::string, Cached> cache_;
  std::unordered_map<std::string, std::shared_ptr<Lookup>> lookups_;  // shared with their waiters
  std::shared_ptr<DnsChannel> channel_;  // shared with operations on its sockets
};

Resolver::Resolver(async::Executor executor, ResolverOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options))) {}

Resolver::~Resolver() { impl_->close(); }

const ResolverStats& Resolver::stats() const { return impl_->stats; }

async::Task<Addresses> Resolver::resolve(std::string host, async::Deadline deadline) {
  if (auto address = IpAddress::parse(host)) co_return std::vector{*address};
  const std::shared_ptr<Impl> impl = impl_;  // the resolver may be destroyed while we wait
  if (auto known = impl->cached(host)) {
    ++impl->stats.cache_hits;
    co_return std::move(*known);
  }
  const std::shared_ptr<Lookup> lookup = impl->join(host);
  if (!lookup) {
    ++impl->stats.busy;
    co_return fail(errc::lookups_busy);
  }
  if (!lookup->addresses) {
    Waiting waiting(impl->executor, lookup, impl->waiters);
    waiting.timer.expires_at(deadline.at());
    boost::system::error_code ignored;
    co_await waiting.timer.async_wait(asio::redirect_error(async::use_task, ignored));
  }
  if (lookup->addresses) co_return *lookup->addresses;
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    co_return fail(async::errc::canceled);
  }
  co_return fail(async::errc::timed_out, "the name servers did not answer in time");
}

}  // namespace grapnel::http
