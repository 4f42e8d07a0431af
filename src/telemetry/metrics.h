// Metrics in the Prometheus text format 0.0.4. There is no global registry: one Metrics is passed
// down.
//
// A handle (Counter, Gauge, Histogram) is cheap to copy and to use: owners take theirs once, with
// its labels, and keep it; an increment is one atomic addition. A handle outlives everything: when
// its series is removed, or the Metrics is gone, it counts on where nobody looks. A handle made by
// the default constructor counts nowhere, which is what tests of other rooms pass.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace grapnel::telemetry {

/// Upper bounds of a histogram's buckets, growing; the last one (+Inf) is implied.
using Buckets = std::vector<double>;
/// Seconds from 0.5 ms to 30 s, the longest time-out of an attempt.
Buckets latency_buckets();

/// Only grows. Thread-safe.
class Counter {
 public:
  Counter() = default;
  void inc(std::uint64_t count = 1) const {
    if (cell_) cell_->value.fetch_add(count, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return cell_ ? cell_->value.load(std::memory_order_relaxed) : 0; }

  static Counter make();

 private:
  struct alignas(64) Cell {  // a cache line each: threads count different things at once
    std::atomic<std::uint64_t> value{0};
  };
  std::shared_ptr<Cell> cell_;
};

/// Goes up and down. Thread-safe.
class Gauge {
 public:
  Gauge() = default;
  void set(double value) const {
    if (cell_) cell_->value.store(value, std::memory_order_relaxed);
  }
  void add(double change) const {
    if (cell_) cell_->value.fetch_add(change, std::memory_order_relaxed);
  }
  double value() const { return cell_ ? cell_->value.load(std::memory_order_relaxed) : 0; }

  static Gauge make();

 private:
  struct alignas(64) Cell {
    std::atomic<double> value{0};
  };
  std::shared_ptr<Cell> cell_;
};

/// Counts observations by size. Thread-safe, without a lock; sum and counts are read one after the
/// other.
class Histogram {
 public:
  Histogram() = default;
  void observe(double value) const;
  std::uint64_t count() const;
  double sum() const;
  /// Observations of each bucket alone (not cumulative), the one above all bounds last.
  std::vector<std::uint64_t> counts() const;
  const Buckets& bounds() const;

  static Histogram make(const std::shared_ptr<const Buckets>& bounds);

 private:
  struct Cell;
  std::shared_ptr<Cell> cell_;
};

/// What a family is called, and its labels.
struct FamilyName {
  std::string name;
  std::string help;
  std::vector<std::string> labels;
  bool operator==(const FamilyName&) const = default;
};

using LabelValues = std::vector<std::string>;

/// One metric with labels. A series is made when it is first asked for. At most kLabelValuesMax
/// series: beyond, the first label (by convention the open one: source, action) becomes "_other",
/// and if that is still too many, all of them. Thread-safe.
template <class Handle>
class Family {
 public:
  Family(FamilyName name, std::shared_ptr<const Buckets> buckets, Counter overflow);

  /// `values` in the order of the labels. A lookup: keep the handle where it counts.
  Handle with(std::initializer_list<std::string_view> values);
  /// Drops every series that has this value of that label; other labels' families are left alone.
  void remove(std::string_view label, std::string_view value);

  const FamilyName& name() const { return name_; }
  const Buckets& buckets() const { return *buckets_; }
  std::vector<std::pair<LabelValues, Handle>> series() const;

 private:
  Handle make() const;

  const FamilyName name_;
  const std::shared_ptr<const Buckets> buckets_;
  const Counter overflow_;
  mutable std::mutex mutex_;
  std::map<LabelValues, Handle> series_;
};
extern template class Family<Counter>;
extern template class Family<Gauge>;
extern template class Family<Histogram>;
using CounterFamily = Family<Counter>;
using GaugeFamily = Family<Gauge>;
using HistogramFamily = Family<Histogram>;

struct BuildInfo {
  std::string version;
};

/// `Content-Type` of what expose() returns.
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Owns the families. Thread-safe. Asking for a name again gives the same family; another kind,
/// other labels or an invalid name are bugs.
class Metrics {
 public:
  explicit Metrics(const BuildInfo& build);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter counter(std::string name, std::string help);
  Gauge gauge(std::string name, std::string help);
  Histogram histogram(std::string name, std::string help, Buckets buckets);

  CounterFamily& counters(std::string name, std::string help, std::vector<std::string> labels);
  GaugeFamily& gauges(std::string name, std::string help, std::vector<std::string> labels);
  HistogramFamily& histograms(std::string name, std::string help, std::vector<std::string> labels,
                              Buckets buckets);

  /// Drops, in all families, the series with this value of that label: its source or action is
  /// gone.
  void remove(std::string_view label, std::string_view value);

  /// Everything in the text format, the process's own figures included. Some ms per thousand
  /// series: with many of them call it from a blocking pool.
  std::string expose() const;

 private:
  using AnyFamily = std::variant<std::unique_ptr<CounterFamily>, std::unique_ptr<GaugeFamily>,
                                 std::unique_ptr<HistogramFamily>>;
  template <class Handle>
  Family<Handle>& family(FamilyName name, Buckets buckets);

  mutable std::mutex mutex_;
  std::map<std::string, AnyFamily, std::less<>> families_;
  Counter overflow_;
};

}  // namespace grapnel::telemetry
