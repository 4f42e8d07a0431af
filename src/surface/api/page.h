// Pages of definitions, which are all in memory: newest first, the cursor is the last id given.
#pragma once

#include <algorithm>
#include <functional>
#include <type_traits>
#include <vector>

#include "surface/api/answer.h"
#include "surface/api/limits.h"

namespace grapnel::api {

template <class Item>
struct DefinitionPage {
  std::vector<Item> items;
  std::string next;  ///< "" at the end
};

/// `id_of` gives an item's id; ids begin with their time, so the newest are the greatest.
template <class Item, class IdOf>
Answer<DefinitionPage<Item>> take_page(const Call& call, std::vector<Item> all, IdOf id_of) {
  using IdType = std::invoke_result_t<IdOf, const Item&>;
  const auto limit = read_limit(call, kDefinitionPageDefault);
  if (!limit) return std::unexpected(limit.error());
  std::ranges::sort(all, std::greater{}, id_of);
  auto first = all.begin();
  if (const auto cursor = call.query.find("cursor")) {
    const auto after = IdType::parse(*cursor);
    if (!after) return refuse(400, "invalid", "cursor: not one that this list gave");
    first = std::ranges::upper_bound(all, *after, std::greater{}, id_of);
  }
  DefinitionPage<Item> page;
  const auto count = std::min<std::ptrdiff_t>(*limit, all.end() - first);
  page.items.assign(first, first + count);
  if (first + count != all.end()) page.next = id_of(page.items.back()).str();
  return page;
}

}  // namespace grapnel::api
