#include "telemetry/metrics.h"

#include <prometheus/check_names.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "telemetry/limits.h"
#include "telemetry/process_stats.h"

namespace grapnel::telemetry {
namespace {

constexpr const char* kOther = "_other";

template <class Handle>
constexpr prometheus::MetricType kType = prometheus::MetricType::Untyped;
template <>
constexpr prometheus::MetricType kType<Counter> = prometheus::MetricType::Counter;
template <>
constexpr prometheus::MetricType kType<Gauge> = prometheus::MetricType::Gauge;
template <>
constexpr prometheus::MetricType kType<Histogram> = prometheus::MetricType::Histogram;

void read(const Counter& counter, prometheus::ClientMetric& out) {
  out.counter.value = static_cast<double>(counter.value());
}

void read(const Gauge& gauge, prometheus::ClientMetric& out) { out.gauge.value = gauge.value(); }

void read(const Histogram& histogram, prometheus::ClientMetric& out) {
  const auto counts = histogram.counts();
  const Buckets& bounds = histogram.bounds();
  std::uint64_t sum = 0;
  out.histogram.bucket.reserve(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += counts[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    out.histogram.bucket.push_back({sum, bound});
  }
  out.histogram.sample_count = sum;
  out.histogram.sample_sum = histogram.sum();
}

template <class Handle>
prometheus::MetricFamily collect(const Family<Handle>& family) {
  prometheus::MetricFamily out{family.name().name, family.name().help, kType<Handle>, {}};
  const auto series = family.series();
  out.metric.reserve(series.size());
  for (const auto& [values, handle] : series) {
    prometheus::ClientMetric& metric = out.metric.emplace_back();
    metric.label.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      metric.label.push_back({family.name().labels[i], values[i]});
    }
    read(handle, metric);
  }
  return out;
}

/// The process's own figures, named as the client libraries' guide of Prometheus asks.
void collect_process(std::vector<prometheus::MetricFamily>& out) {
  const ProcessStats stats = read_process_stats();
  const auto add = [&out](const char* name, const char* help, prometheus::MetricType type,
                          const std::optional<double>& value) {
    if (!value) return;
    auto& family = out.emplace_back(prometheus::MetricFamily{name, help, type, {}});
    auto& metric = family.metric.emplace_back();
    (type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = *value;
  };
  using prometheus::MetricType;
  add("process_cpu_seconds_total", "User and system CPU time spent.", MetricType::Counter,
      stats.cpu_seconds);
  add("process_open_fds", "Open file descriptors.", MetricType::Gauge, stats.open_fds);
  add("process_max_fds", "Most file descriptors that may be open.", MetricType::Gauge,
      stats.max_fds);
  add("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, stats.resident_bytes);
  add("process_virtual_memory_bytes", "Address space in use.", MetricType::Gauge,
      stats.virtual_bytes);
  add("process_start_time_seconds", "Start of the process since the Unix epoch.", MetricType::Gauge,
      stats.start_time_seconds);
}

void check_name(const FamilyName& name, const Buckets& buckets) {
  GRAPNEL_CHECK(prometheus::CheckMetricName(name.name), name.name);
  for (const std::string& label : name.labels) {
    GRAPNEL_CHECK(prometheus::CheckLabelName(label), label);
  }
  GRAPNEL_CHECK(buckets.size() <= kBucketsMax && std::ranges::is_sorted(buckets), name.name);
}

}  // namespace

Buckets latency_buckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30};
}

struct Histogram::Cell {
  explicit Cell(std::shared_ptr<const Buckets> upper) : bounds(std::move(upper)) {}

  const std::shared_ptr<const Buckets> bounds;
  std::array<std::atomic<std::uint64_t>, kBucketsMax + 1> counts{};
  std::atomic<double> sum{0};
};

Counter Counter::make() {
  Counter counter;
  counter.cell_ = std::make_shared<Cell>();
  return counter;
}

Gauge Gauge::make() {
  Gauge gauge;
  gauge.cell_ = std::make_shared<Cell>();
  return gauge;
}

Histogram Histogram::make(const std::shared_ptr<const Buckets>& bounds) {
  Histogram histogram;
  histogram.cell_ = std::make_shared<Cell>(bounds);
  return histogram;
}

void Histogram::observe(double value) const {
  if (!cell_) return;
  const Buckets& upper = *cell_->bounds;
  const auto at = std::ranges::lower_bound(upper, value) - upper.begin();
  cell_->counts[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  cell_->sum.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts()) sum += count;
  return sum;
}

double Histogram::sum() const { return cell_ ? cell_->sum.load(std::memory_order_relaxed) : 0; }

std::vector<std::uint64_t> Histogram::counts() const {
  std::vector<std::uint64_t> out;
  if (!cell_) return out;
  out.reserve(cell_->bounds->size() + 1);
  for (std::size_t i = 0; i <= cell_->bounds->size(); ++i) {
    out.push_back(cell_->counts[i].load(std::memory_order_relaxed));
  }
  return out;
}

const Buckets& Histogram::bounds() const {
  GRAPNEL_CHECK(cell_ != nullptr);
  return *cell_->bounds;
}

template <class Handle>
Family<Handle>::Family(FamilyName name, std::shared_ptr<const Buckets> buckets, Counter overflow)
    : name_(std::move(name)), buckets_(std::move(buckets)), overflow_(std::move(overflow)) {}

template <class Handle>
Handle Family<Handle>::with(std::initializer_list<std::string_view> values) {
  GRAPNEL_CHECK(values.size() == name_.labels.size(), name_.name, values.size());
  LabelValues key;
  key.reserve(values.size());
  for (const std::string_view value : values) {
    key.push_back(valid_utf8(cut_utf8(value, kLabelValueBytesMax)));
  }
  const std::scoped_lock lock(mutex_);
  auto found = series_.find(key);
  if (found == series_.end() && series_.size() >= kLabelValuesMax) {
    overflow_.inc();
    key.front() = kOther;
    found = series_.find(key);
    if (found == series_.end() && series_.size() >= kLabelValuesMax + kOtherSeriesMax) {
      std::ranges::fill(key, kOther);
      found = series_.find(key);
    }
  }
  if (found == series_.end()) found = series_.emplace(std::move(key), make()).first;
  return found->second;
}

template <class Handle>
Handle Family<Handle>::make() const {
  if constexpr (std::is_same_v<Handle, Histogram>) {
    return Histogram::make(buckets_);
  } else {
    return Handle::make();
  }
}

template <class Handle>
void Family<Handle>::remove(std::string_view label, std::string_view value) {
  const auto at =
      static_cast<std::size_t>(std::ranges::find(name_.labels, label) - name_.labels.begin());
  if (at == name_.labels.size()) return;
  const std::string kept = valid_utf8(cut_utf8(value, kLabelValueBytesMax));
  const std::scoped_lock lock(mutex_);
  std::erase_if(series_, [&](const auto& entry) { return entry.first[at] == kept; });
}

template <class Handle>
std::vector<std::pair<LabelValues, Handle>> Family<Handle>::series() const {
  const std::scoped_lock lock(mutex_);
  return {series_.begin(), series_.end()};
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

Metrics::Metrics(const BuildInfo& build) {
  overflow_ = counter("grapnel_metrics_label_overflow_total",
                      "Lookups of a series that found its family full and got \"_other\".");
  gauges("grapnel_build_info", "The running build; always 1.", {"version", "compiler"})
      .with({build.version, "clang " __clang_version__})
      .set(1);
}

Metrics::~Metrics() = default;

template <class Handle>
Family<Handle>& Metrics::family(FamilyName name, Buckets buckets) {
  check_name(name, buckets);
  const std::scoped_lock lock(mutex_);
  auto found = families_.find(name.name);
  if (found == families_.end()) {
    std::string key = name.name;
    auto made = std::make_unique<Family<Handle>>(
        std::move(name), std::make_shared<const Buckets>(std::move(buckets)), overflow_);
    return *std::get<std::unique_ptr<Family<Handle>>>(
        families_.emplace(std::move(key), std::move(made)).first->second);
  }
  auto* same = std::get_if<std::unique_ptr<Family<Handle>>>(&found->second);
  GRAPNEL_CHECK(same != nullptr && (*same)->name() == name && (*same)->buckets() == buckets,
                name.name);
  return **same;
}

Counter Metrics::counter(std::string name, std::string help) {
  return counters(std::move(name), std::move(help), {}).with({});
}

Gauge Metrics::gauge(std::string name, std::string help) {
  return gauges(std::move(name), std::move(help), {}).with({});
}

Histogram Metrics::histogram(std::string name, std::string help, Buckets buckets) {
  return histograms(std::move(name), std::move(help), {}, std::move(buckets)).with({});
}

CounterFamily& Metrics::counters(std::string name, std::string help,
                                 std::vector<std::string> labels) {
  return family<Counter>({std::move(name), std::move(help), std::move(labels)}, {});
}

GaugeFamily& Metrics::gauges(std::string name, std::string help, std::vector<std::string> labels) {
  return family<Gauge>({std::move(name), std::move(help), std::move(labels)}, {});
}

HistogramFamily& Metrics::histograms(std::string name, std::string help,
                                     std::vector<std::string> labels, Buckets buckets) {
  return family<Histogram>({std::move(name), std::move(help), std::move(labels)},
                           std::move(buckets));
}

void Metrics::remove(std::string_view label, std::string_view value) {
  const std::scoped_lock lock(mutex_);
  for (auto& [name, any] : families_) {
    std::visit([&](auto& family) { family->remove(label, value); }, any);
  }
}

std::string Metrics::expose() const {
  std::vector<prometheus::MetricFamily> collected;
  {
    const std::scoped_lock lock(mutex_);
    collected.reserve(families_.size() + 8);
    for (const auto& [name, any] : families_) {
      std::visit([&](const auto& family) { collected.push_back(collect(*family)); }, any);
    }
  }
  collect_process(collected);
  return prometheus::TextSerializer().Serialize(collected);
}

}  // namespace grapnel::telemetry
