// PORT Catalog: reading for people. Keyset pages that stay flat as the store grows; nothing here
// changes anything or waits for the writer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "model/delivery.h"
#include "model/delivery_book.h"
#include "model/event.h"

namespace grapnel::model {

/// A place in a list: the store's generation (a restore starts a new one), the list, the last seq
/// given.
struct Cursor {
  std::int64_t generation = 0;
  char list = 0;  ///< 'e' events, 'd' deliveries, 'x' dead letters
  Seq seq = 0;

  /// Opaque text, safe in a URL.
  std::string str() const;
  static Result<Cursor> parse(std::string_view text);
};

template <class Item>
struct Page {
  std::vector<Item> items;  ///< newest first
  /// Nothing: the end. A page may hold less than the limit and still have a next
  std::optional<Cursor> next;
};

/// What a limited API key may see; empty: all sources.
using SourceScope = std::vector<SourceId>;

struct EventQuery {
  SourceScope scope;
  std::optional<SourceId> source;
  std::optional<std::string> type;
  std::optional<FanoutState> fanout;
  std::optional<Time> from;  ///< received, inclusive
  std::optional<Time> to;    ///< received, exclusive
  std::optional<Cursor> after;
  int limit = kPageDefault;
};

struct DeliveryQuery {
  SourceScope scope;
  std::optional<Seq> event;
  std::optional<SourceId> source;
  std::optional<ActionId> action;
  std::vector<DeliveryState> states;  ///< empty: all
  std::optional<Time> from;           ///< created, inclusive
  std::optional<Time> to;
  std::optional<Cursor> after;
  int limit = kPageDefault;
};

/// Dead letters page by ended_seq.
struct DeadQuery {
  SourceScope scope;
  DeadFilter filter;
  std::optional<Cursor> after;
  int limit = kPageDefault;
};

/// One version of a script, as it was saved.
struct ScriptVersion {
  int version = 0;
  Time created;
  std::string body;
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  virtual async::Task<Result<Page<Event>>> events(EventQuery query) = 0;  ///< without bodies
  /// With its body where `body` is wanted; body_damaged when it does not match its checksum.
  enum class WithBody : std::uint8_t { no, yes };
  virtual async::Task<Result<std::optional<Event>>> event(EventId id, WithBody body) = 0;
  virtual async::Task<Result<Page<Delivery>>> deliveries(DeliveryQuery query) = 0;
  virtual async::Task<Result<std::optional<Delivery>>> delivery(DeliveryId id) = 0;
  /// Of one delivery, by number; `body_sha256` and so on are the event's.
  virtual async::Task<Result<std::vector<Attempt>>> attempts(Seq delivery) = 0;
  virtual async::Task<Result<Page<Delivery>>> dead_letters(DeadQuery query) = 0;
  virtual async::Task<Result<std::int64_t>> count_dead(SourceScope scope, DeadFilter filter) = 0;
  /// Constant part of an attempt's request: the action as it was at that revision, if still kept.
  virtual async::Task<Result<std::optional<Action>>> action_at(ActionId id, Revision revision) = 0;
  /// Versions of the script of a source or an action (its id's bytes), newest first, at most
  /// kScriptVersionsMax.
  virtual async::Task<Result<std::vector<ScriptVersion>>> scripts(IdBytes owner) = 0;
  /// What a transform made of an event: events of their own, by seq, at most kSplitEventsMax.
  virtual async::Task<Result<std::vector<Event>>> splits(EventId parent) = 0;
};

}  // namespace grapnel::model
