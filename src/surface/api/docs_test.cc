// docs/API.md and docs/openapi.yaml against the route table, in both directions.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "surface/api/router.h"

namespace grapnel::api {
namespace {

std::string read_doc(const std::string& name) {
  std::ifstream file(std::string(GRAPNEL_DOCS_DIR) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::set<std::string> routes_in_table() {
  std::set<std::string> out;
  for (const Route& route : api_routes())
    out.insert(fmt::format("{} {}", route.method, route.pattern));
  return out;
}

/// "GET /api/sources" for each operation; the file's own layout: a path has two spaces before it, a
/// method four.
std::set<std::string> routes_in_openapi() {
  std::set<std::string> out;
  std::istringstream lines(read_doc("openapi.yaml"));
  std::string path;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    for (const std::string method : {"get", "post", "put", "patch", "delete"}) {
      if (line != "    " + method + ":" || !path.starts_with("/api")) continue;
      std::string name = method;
      std::ranges::transform(name, name.begin(),
                             [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      out.insert(name + " " + path);
    }
  }
  return out;
}

TEST(DocsTest, OpenApiHasExactlyTheRoutesThatThereAre) {
  EXPECT_EQ(routes_in_openapi(), routes_in_table());
}

TEST(DocsTest, ThePageForPeopleNamesEveryRoute) {
  const std::string page = read_doc("API.md");
  for (const auto& route : routes_in_table()) {
    EXPECT_NE(page.find("`" + route), std::string::npos) << route;
  }
}

}  // namespace
}  // namespace grapnel::api
