// A key limited to source A sees nothing of B, on every route that there is.
#include <fmt/format.h>

#include <map>

#include "surface/api/rig.h"

namespace grapnel::api {
namespace {

class Isolation : public ApiRig {
 protected:
  Isolation() {
    for (const auto* slug : {"aaa", "bbb"}) {
      make_source(slug);
      make_action(slug,
                  fmt::format(R"({{"name":"act-{}","target_url":"http://{}-host/"}})", slug, slug));
      make_dead(slug);
      events_[slug] = post_event(slug, fmt::format(R"({{"of":"{}"}})", slug));
      const auto job =
          expect(202, admin("POST", "/api/replays", fmt::format(R"({{"source":"{}"}})", slug)));
      jobs_[slug] = std::string(job.at("id").as_string());
      leave_versions_of_scripts(slug);
    }
    key_ = make_key("write", R"(["aaa"])");
  }

  /// Scripts that were saved, and cleared again.
  void leave_versions_of_scripts(const std::string& slug) {
    const std::string source = "/api/sources/" + slug;
    expect(200, admin("PATCH", source, R"({"script_body":"x"})"));
    expect(200, admin("PATCH", source, R"({"script_body":""})"));
    const std::string action = source + "/actions/act-" + slug;
    expect(200, admin("PATCH", action, R"({"type":"javascript","script_body":"x"})"));
    expect(200, admin("PATCH", action, R"({"type":"webhook","script_body":""})"));
  }

  /// Every way to name B in a parameter of a route; a parameter that is not known here fails the
  /// test.
  std::vector<std::string> names_in(const std::string& slug, std::string_view parameter) {
    const auto source = store_.snapshot()->find_source(slug);
    const auto delivery = delivery_of(events_.at(slug));
    const std::map<std::string_view, std::vector<std::string>> names{
        {"source", {slug, source->source.id.str()}},
        {"action", {"act-" + slug, source->actions.at(0)->id.str()}},
        {"event", {events_.at(slug)}},
        {"delivery", {delivery.id.str(), events_.at(slug)}},
        {"job", {jobs_.at(slug)}},
        {"secret", {"a-fingerprint"}},
        {"version", {"1"}},
        {"refused", {refused_of(source->source)}},
        {"key", {store_.snapshot()->keys.begin()->first.str()}}};
    const auto known = names.find(parameter);
    EXPECT_NE(known, names.end()) << "a new parameter {" << parameter
                                  << "}: say here what names it";
    return known == names.end() ? std::vector<std::string>{"x"} : known->second;
  }

  /// A refused request that the source keeps.
  std::string refused_of(model::Source source) {
    source.inbound.quarantine = 1;
    if (quarantine_.of(source.id).empty()) quarantine_.add(source, {}, {}, clock_.wall());
    return quarantine_.of(source.id).front()->id;
  }

  /// The route's paths with every name that B's things have.
  std::vector<std::string> targets_in(const std::string& slug, const Route& route) {
    std::vector<std::string> targets{""};
    std::string_view rest = route.pattern;
    while (!rest.empty()) {
      const auto open = std::min(rest.find('{'), rest.size());
      const auto literal = rest.substr(0, open);
      const auto close = open < rest.size() ? rest.find('}') : rest.size();
      const auto parameter = open < rest.size() ? rest.substr(open + 1, close - open - 1) : "";
      rest.remove_prefix(std::min(close + 1, rest.size()));
      std::vector<std::string> longer;
      for (const auto& target : targets) {
        if (parameter.empty()) {
          longer.push_back(target + std::string(literal));
          continue;
        }
        for (const auto& name : names_in(slug, parameter)) {
          longer.push_back(target + std::string(literal) + name);
        }
      }
      targets = std::move(longer);
    }
    return targets;
  }

  static std::string body_for(const Route& route) {
    return route.body == BodyUse::json ? R"({"target_url":"http://t/"})" : "";
  }

  /// Whether a text says anything of B.
  bool mentions_b(const std::string& text) {
    std::vector<std::string> traces{"bbb", events_.at("bbb"), jobs_.at("bbb"),
                                    delivery_of(events_.at("bbb")).id.str()};
    const auto source = store_.snapshot()->find_source("bbb");
    traces.push_back(source->source.id.str());
    traces.push_back(source->actions.at(0)->id.str());
    return std::ranges::any_of(
        traces, [&](const auto& trace) { return text.find(trace) != std::string::npos; });
  }

  std::map<std::string, std::string> events_;
  std::map<std::string, std::string> jobs_;
  std::string key_;
};

TEST_F(Isolation, EveryRouteOfAThingOfBIs404AndChangesNothing) {
  const auto deliveries = store_.tables().deliveries().size();
  const auto revision = store_.snapshot()->revision;
  for (const Route& route : api_routes()) {
    if (route.pattern.find('{') == std::string_view::npos) continue;
    for (const auto& target : targets_in("bbb", route)) {
      const auto answer = ask({.method = std::string(route.method),
                               .target = target,
                               .body = body_for(route),
                               .key = key_,
                               .headers = {{"If-None-Match", "*"}}});
      const bool refused_by_scope =
          route.scope > model::KeyScope::write || route.reach == Reach::whole;
      EXPECT_EQ(answer.status, refused_by_scope ? 403 : 404)
          << route.method << ' ' << target << answer.body;
    }
  }
  EXPECT_EQ(store_.tables().deliveries().size(), deliveries);
  EXPECT_EQ(store_.snapshot()->revision, revision);
}

TEST_F(Isolation, WhatExistsInBAndWhatDoesNotExistAreOneAnswer) {
  const auto of_b = ask({.target = "/api/deliveries?source=bbb", .key = key_});
  const auto of_nobody = ask({.target = "/api/deliveries?source=ccc", .key = key_});
  EXPECT_EQ(of_b.status, of_nobody.status);
  std::string body = of_b.body;
  body.replace(body.find("bbb"), 3, "ccc");
  EXPECT_EQ(body, of_nobody.body);

  const std::string unknown = ids_.make<model::EventId>().str();
  auto event = ask({.target = "/api/events/" + events_.at("bbb"), .key = key_}).body;
  event.replace(event.find(events_.at("bbb")), unknown.size(), unknown);
  EXPECT_EQ(event, ask({.target = "/api/events/" + unknown, .key = key_}).body);
}

TEST_F(Isolation, NoListSaysAnythingOfB) {
  for (const Route& route : api_routes()) {
    if (route.method != "GET" || route.pattern.find('{') != std::string_view::npos) continue;
    const auto all = admin("GET", std::string(route.pattern));
    const auto own = ask({.target = std::string(route.pattern), .key = key_});
    if (route.scope > model::KeyScope::write || route.reach == Reach::whole) {
      EXPECT_EQ(own.status, 403) << route.pattern;
      continue;
    }
    EXPECT_EQ(own.status, 200) << route.pattern;
    EXPECT_FALSE(mentions_b(own.body)) << route.pattern;
    EXPECT_NE(own.body, all.body) << route.pattern
                                  << ": the route shows no difference, so it tests nothing";
  }
}

TEST_F(Isolation, FiltersAndCursorsDoNotReachB) {
  const std::string action_b = action("bbb", "act-bbb")->id.str();
  for (const std::string list : {"/api/deliveries", "/api/dead-letters"}) {
    EXPECT_EQ(ask({.target = list + "?source=bbb", .key = key_}).status, 404);
    EXPECT_EQ(
        expect(200, ask({.target = list + "?action=" + action_b, .key = key_})).as_array().size(),
        0u);
  }
  EXPECT_EQ(ask({.target = "/api/deliveries?event=" + events_.at("bbb"), .key = key_}).status, 404);
  EXPECT_EQ(
      ask({.target = "/api/events?source=" + store_.snapshot()->find_source("bbb")->source.id.str(),
           .key = key_})
          .status,
      404);
  // A cursor that the admin was given stands anywhere in the list; what follows it is still A's
  // alone.
  for (const std::string list :
       {"/api/events", "/api/deliveries", "/api/sources", "/api/replays"}) {
    const auto next = next_of(admin("GET", list + "?limit=1"));
    ASSERT_NE(next, "") << list;
    EXPECT_FALSE(mentions_b(ask({.target = next, .key = key_}).body)) << list;
  }
}

TEST_F(Isolation, DocumentsDoNotReachB) {
  EXPECT_EQ(
      ask({.method = "POST", .target = "/api/replays", .body = R"({"source":"bbb"})", .key = key_})
          .status,
      404);
  EXPECT_EQ(
      ask({.method = "POST", .target = "/api/sources", .body = R"({"name":"c"})", .key = key_})
          .status,
      403);
}

TEST_F(Isolation, StatusCountsOwnWorkOnly) {
  const auto own = expect(200, ask({.target = "/api/status", .key = key_}));
  EXPECT_EQ(own.at("sources"), 1);
  EXPECT_EQ(own.at("open").at("pending"), 1);
  EXPECT_EQ(own.at("dead_letters"), 1);
}

TEST_F(Isolation, TheSameKeyReachesEverythingOfItsOwn) {
  for (const Route& route : api_routes()) {
    if (route.method != "GET" || route.reach == Reach::whole) continue;
    for (const auto& target : targets_in("aaa", route)) {
      EXPECT_EQ(ask({.target = target, .key = key_}).status, 200) << target;
    }
  }
}

TEST_F(Isolation, HistoryOfADeletedSourceStaysWithItsKeys) {
  const auto id = store_.snapshot()->find_source("aaa")->source.id.str();
  EXPECT_EQ(admin("DELETE", "/api/sources/aaa").status, 204);
  while (*doubles::run(loop_, store_.finish_deletions()) == model::StepResult::more) {
  }
  EXPECT_EQ(store_.snapshot()->find_source("aaa"), nullptr);
  const auto events = expect(200, ask({.target = "/api/events?source=" + id, .key = key_}));
  EXPECT_EQ(events.as_array().size(), 2u);
}

}  // namespace
}  // namespace grapnel::api
