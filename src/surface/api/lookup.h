// Finding what a request names, as far as its caller may see it. What a limited key may not see is
// answered in the same words as what does not exist.
#pragma once

#include <optional>
#include <string_view>

#include "async/task.h"
#include "model/catalog.h"
#include "surface/api/answer.h"

namespace grapnel::api {

/// By slug or id; never one that is deleting.
Answer<model::SourcePtr> find_source(const Call& call, const model::RegistrySnapshot& snapshot,
                                     std::string_view name);
/// By id or name, within the source; never one that is deleting.
Answer<model::ActionPtr> find_action(const model::SourceEntry& entry, std::string_view name);

/// Errors of the text are 404: such an id names nothing.
async::Task<Answer<model::Delivery>> find_delivery(const Ports& ports, const Call& call,
                                                   std::string_view id);
/// A stored event as that run sends it, without its body; as received where that cannot be read.
async::Task<model::Event> as_run_sends(const Ports& ports, model::Event event, int run);
async::Task<Answer<model::Event>> find_event(const Ports& ports, const Call& call,
                                             std::string_view id, model::Catalog::WithBody body);

/// What lists are narrowed by. Of a source or action that was deleted, only the id is known.
struct Filter {
  std::optional<model::SourceId> source;
  std::optional<model::ActionId> action;
  std::optional<Time> from;
  std::optional<Time> to;
};
/// From texts, wherever they were given (query or document). An action may be named instead of
/// given by id where the source is given too.
struct FilterTexts {
  std::optional<std::string_view> source;
  std::optional<std::string_view> action;
  std::optional<std::string_view> from;
  std::optional<std::string_view> to;
};
Answer<Filter> read_filter(const Call& call, const FilterTexts& texts);
FilterTexts filter_texts(const Query& query);

/// The `cursor` parameter.
Answer<std::optional<model::Cursor>> read_cursor(const Call& call);

}  // namespace grapnel::api
