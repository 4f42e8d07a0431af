#include "telemetry/log.h"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace grapnel::telemetry {
namespace {

/// Hands the line on as it is: time, level and fields are in it already.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(LogSink sink) : sink_(std::move(sink)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    sink_({line.payload.data(), line.payload.size()});
  }
  void flush_() override {}

  LogSink sink_;
};

/// Standard error may be a pipe that somebody set to non-blocking.
void write_all(int fd, std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written >= 0) {
      line.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return;  // nobody is left to tell
    }
  }
}

}  // namespace

struct Log::Queue {
  Queue(std::size_t lines_max, LogSink sink)
      : pool(std::make_shared<spdlog::details::thread_pool>(lines_max, 1)),
        logger(std::make_shared<spdlog::async_logger>(
            "grapnel", std::make_shared<LineSink>(std::move(sink)), pool,
            spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_level(spdlog::level::trace);  // Log decides
  }

  // The pool goes first: its destructor writes what is queued and joins.
  ~Queue() { pool.reset(); }

  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

LogSink stderr_sink() {
  return [](std::string_view line) { write_all(STDERR_FILENO, line); };
}

Log::Log(const Clock& clock, const LogOptions& options, LogSink sink)
    : clock_(clock), format_(options.format), level_(options.level) {
  GRAPNEL_CHECK(options.queue_max > 0);
  queue_ = std::make_unique<Queue>(options.queue_max, std::move(sink));
}

Log::~Log() = default;

void Log::write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  const std::string line = format_entry(format_, clock_.wall(), level, message, fields);
  queue_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t Log::dropped() const { return queue_->pool->overrun_counter(); }

}  // namespace grapnel::telemetry
