// The queries of the catalog in one place, so that a test can hold each of them against the query
// planner: none may scan a table or sort.
#pragma once

#include <array>
#include <string_view>

#include "drivers/sqlite/rows.h"

namespace grapnel::sqlite::sql {

inline constexpr std::string_view kSourceKey = "SELECT pk FROM sources WHERE id = ?1";
inline constexpr std::string_view kActionKey = "SELECT pk, source FROM actions WHERE id = ?1";
inline constexpr std::string_view kActionsOfSource =
    "SELECT pk FROM actions INDEXED BY actions_source WHERE source = ?1";
inline constexpr std::string_view kSourceOfEvent = "SELECT source FROM events WHERE seq = ?1";

// Sets (seq_set.h): ?1 the key, ?2 the upper end.
inline constexpr std::string_view kAllEvents =
    "SELECT seq FROM events WHERE seq <= ?2 ORDER BY seq DESC LIMIT 1";
inline constexpr std::string_view kEventsOfSource =
    "SELECT seq FROM events INDEXED BY events_source WHERE source = ?1 AND seq <= ?2 "
    "ORDER BY seq DESC LIMIT 1";
inline constexpr std::string_view kHeldOfSource =
    "SELECT seq FROM events INDEXED BY events_held WHERE source = ?1 AND fanout = 0 AND seq <= ?2 "
    "ORDER BY seq DESC LIMIT 1";
inline constexpr std::string_view kAllDeliveries =
    "SELECT seq FROM deliveries WHERE seq <= ?2 ORDER BY seq DESC LIMIT 1";
inline constexpr std::string_view kDeliveriesOfEvent =
    "SELECT seq FROM deliveries INDEXED BY deliveries_event WHERE event_seq = ?1 AND seq <= ?2 "
    "ORDER BY seq DESC LIMIT 1";
inline constexpr std::string_view kDeliveriesOfAction =
    "SELECT seq FROM deliveries INDEXED BY deliveries_action WHERE action = ?1 AND seq <= ?2 "
    "ORDER BY seq DESC LIMIT 1";
inline constexpr std::string_view kDeadDeliveries =
    "SELECT seq FROM deliveries INDEXED BY deliveries_failed WHERE state = 4 AND seq <= ?2 "
    "ORDER BY seq DESC LIMIT 1";
inline constexpr std::string_view kCancelledDeliveries =
    "SELECT seq FROM deliveries INDEXED BY deliveries_failed WHERE state = 5 AND seq <= ?2 "
    "ORDER BY seq DESC LIMIT 1";
inline constexpr std::string_view kDeadLetters =
    "SELECT ended_seq FROM deliveries INDEXED BY deliveries_dead "
    "WHERE state = 4 AND replayed_by IS NULL AND ended_seq <= ?2 ORDER BY ended_seq DESC LIMIT 1";
inline constexpr std::string_view kDeadLettersOfAction =
    "SELECT ended_seq FROM deliveries INDEXED BY deliveries_dead_action "
    "WHERE action = ?1 AND state = 4 AND replayed_by IS NULL AND ended_seq <= ?2 "
    "ORDER BY ended_seq DESC LIMIT 1";

// Open deliveries: at most ?2 (or ?1) entries of the partial index, which holds nothing else.
inline constexpr std::string_view kOpenDeliveries =
    "SELECT seq, state FROM deliveries INDEXED BY deliveries_open "
    "WHERE state = 0 OR state = 1 OR state = 2 LIMIT ?1";
inline constexpr std::string_view kOpenOfAction =
    "SELECT seq, state FROM deliveries INDEXED BY deliveries_open "
    "WHERE action = ?1 AND (state = 0 OR state = 1 OR state = 2) LIMIT ?2";

// For first_from().
inline constexpr std::string_view kEventFrom =
    "SELECT seq, received_ms FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1";
inline constexpr std::string_view kDeliveryFrom =
    "SELECT seq, created_ms FROM deliveries WHERE seq >= ?1 ORDER BY seq LIMIT 1";
inline constexpr std::string_view kDeadFrom =
    "SELECT ended_seq, ended_ms FROM deliveries INDEXED BY deliveries_dead "
    "WHERE state = 4 AND replayed_by IS NULL AND ended_seq >= ?1 ORDER BY ended_seq LIMIT 1";

// Rows. What no set can say is asked here; NULL asks nothing.
inline constexpr std::string_view kEventRow = GRAPNEL_SQLITE_EVENT_SELECT
    "WHERE e.seq = ?1 AND (?2 IS NULL OR e.type = ?2) AND (?3 IS NULL OR e.fanout = ?3) "
    "AND (?4 IS NULL OR e.received_ms >= ?4) AND (?5 IS NULL OR e.received_ms < ?5)";
inline constexpr std::string_view kEventById = GRAPNEL_SQLITE_EVENT_SELECT "WHERE e.id = ?1";
inline constexpr std::string_view kBody = "SELECT body, body_file FROM events WHERE seq = ?1";
inline constexpr std::string_view kDeliveryRow =
    GRAPNEL_SQLITE_DELIVERY_SELECT "WHERE d.seq = ?1 AND (?2 & (1 << d.state)) != 0";
inline constexpr std::string_view kDeliveryById = GRAPNEL_SQLITE_DELIVERY_SELECT "WHERE d.id = ?1";
inline constexpr std::string_view kDeadRow = GRAPNEL_SQLITE_DELIVERY_SELECT
    "WHERE d.ended_seq = ?1 AND d.state = 4 AND d.replayed_by IS NULL "
    "AND (?2 IS NULL OR d.reason = ?2)";
inline constexpr std::string_view kAttempts =
    GRAPNEL_SQLITE_ATTEMPT_SELECT "WHERE a.key >= ?1 AND a.key <= ?2 ORDER BY a.key LIMIT ?3";
// Health alone changes a revision without a row of its own: the newest row up to it counts.
inline constexpr std::string_view kActionAt =
    "SELECT definition FROM action_revisions WHERE action = ?1 AND revision <= ?2 "
    "AND EXISTS (SELECT 1 FROM actions WHERE pk = ?1 AND revision >= ?2) "
    "ORDER BY revision DESC LIMIT 1";

// Counting in slices of at most ?3 entries above ?1 up to ?2: entries, those that match, the last
// one's number.
inline constexpr std::string_view kCountDead =
    "SELECT count(*), count(*), max(ended_seq) FROM (SELECT ended_seq FROM deliveries INDEXED BY "
    "deliveries_dead WHERE state = 4 AND replayed_by IS NULL AND ended_seq > ?1 AND ended_seq <= "
    "?2 "
    "ORDER BY ended_seq LIMIT ?3)";
inline constexpr std::string_view kCountDeadReason =
    "SELECT count(*), sum(reason = ?4), max(ended_seq) FROM (SELECT ended_seq, reason FROM "
    "deliveries "
    "INDEXED BY deliveries_dead WHERE state = 4 AND replayed_by IS NULL AND ended_seq > ?1 "
    "AND ended_seq <= ?2 ORDER BY ended_seq LIMIT ?3)";
inline constexpr std::string_view kCountDeadOfAction =
    "SELECT count(*), count(*), max(ended_seq) FROM (SELECT ended_seq FROM deliveries INDEXED BY "
    "deliveries_dead_action WHERE action = ?5 AND state = 4 AND replayed_by IS NULL AND ended_seq "
    "> ?1 "
    "AND ended_seq <= ?2 ORDER BY ended_seq LIMIT ?3)";
inline constexpr std::string_view kCountDeadOfActionReason =
    "SELECT count(*), sum(reason = ?4), max(ended_seq) FROM (SELECT ended_seq, reason FROM "
    "deliveries "
    "INDEXED BY deliveries_dead_action WHERE action = ?5 AND state = 4 AND replayed_by IS NULL "
    "AND ended_seq > ?1 AND ended_seq <= ?2 ORDER BY ended_seq LIMIT ?3)";

inline constexpr std::array kCatalogQueries{kSourceKey,
                                            kActionKey,
                                            kActionsOfSource,
                                            kSourceOfEvent,
                                            kAllEvents,
                                            kEventsOfSource,
                                            kHeldOfSource,
                                            kAllDeliveries,
                                            kDeliveriesOfEvent,
                                            kDeliveriesOfAction,
                                            kDeadDeliveries,
                                            kCancelledDeliveries,
                                            kDeadLetters,
                                            kDeadLettersOfAction,
                                            kOpenOfAction,
                                            kEventFrom,
                                            kDeliveryFrom,
                                            kDeadFrom,
                                            kEventRow,
                                            kEventById,
                                            kBody,
                                            kDeliveryRow,
                                            kDeliveryById,
                                            kDeadRow,
                                            kAttempts,
                                            kActionAt,
                                            kCountDead,
                                            kCountDeadReason,
                                            kCountDeadOfAction,
                                            kCountDeadOfActionReason};

}  // namespace grapnel::sqlite::sql
