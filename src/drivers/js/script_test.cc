// What scripts can rely on: their event, their result, their errors, their console, their solitude.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "drivers/js/pool_rig.h"

namespace grapnel::js {
namespace {

using model::ScriptEntry;
using model::ScriptFailure;
using model::ScriptFault;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// One pool for all, since starting an engine costs more than most of these tests.
class Script : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { rig_ = new PoolRig; }
  static void TearDownTestSuite() { delete std::exchange(rig_, nullptr); }

  static std::string text(const model::ScriptPtr& script, std::string_view body = "{}",
                          std::string event = R"({"id":"evt_1"})") {
    return rig_->text(script, body, std::move(event));
  }
  static ScriptFailure failure(std::string body) {
    const Outcome outcome = rig_->run(script_of(std::move(body)));
    EXPECT_FALSE(outcome);
    return outcome ? ScriptFailure{} : outcome.error();
  }
  static std::string console(std::string body) {
    const Outcome outcome = rig_->run(script_of(std::move(body)));
    return outcome ? outcome->console : outcome.error().console;
  }

  static PoolRig* rig_;
};
PoolRig* Script::rig_ = nullptr;

TEST_F(Script, SeesTheEventWithRawAndPayload) {
  EXPECT_EQ(text(returning("event"), R"({"n": 1})", R"({"id":"e","headers":{"a":"b"}})"),
            R"({"id":"e","headers":{"a":"b"},"payload":{"n":1},"raw":"{\"n\": 1}"})");
}

TEST_F(Script, SeesNoPayloadWhereTheBodyIsNotJson) {
  EXPECT_EQ(text(returning("[typeof event.payload, event.raw]"), "{broken"),
            R"(["undefined","{broken"])");
  EXPECT_EQ(text(returning("[typeof event.payload, event.raw]"), "a=b&c=d"),
            R"(["undefined","a=b&c=d"])");
  EXPECT_EQ(text(returning("[typeof event.payload, event.raw]"), ""), R"(["undefined",""])");
}

TEST_F(Script, SeesJsonThatIsNoObject) {
  EXPECT_EQ(text(returning("[event.payload]"), "null"), "[null]");
  EXPECT_EQ(text(returning("event.payload + 1"), " 41"), "42");
  EXPECT_EQ(text(returning("event.payload"), "\"x\""), "\"x\"");
}

TEST_F(Script, SeesBytesThatAreNoTextAsBase64) {
  using namespace std::string_view_literals;
  EXPECT_EQ(text(returning("[event.raw, typeof event.payload]"), "\xff\xfe\x00\x01"sv),
            R"(["//4AAQ==","undefined"])");
  EXPECT_EQ(text(returning("event.raw"), "\x80"sv), R"("gA==")");
  EXPECT_EQ(text(returning("event.raw"), "\x80\x81\x82"sv), R"("gIGC")");
}

TEST_F(Script, KeepsEveryCharacter) {
  EXPECT_EQ(text(returning("event.payload"), "\"Åß€😀\""), "\"Åß€😀\"");
  EXPECT_EQ(text(returning("event.raw.length"), "😀"), "2");
  EXPECT_EQ(text(returning("'\\ud800'")), R"("\ud800")");
  EXPECT_EQ(text(returning("'a\\u0000b'")), R"("a\u0000b")");
}

TEST_F(Script, DefinesKeysOfThePayloadWhateverTheirName) {
  EXPECT_EQ(text(returning("[Object.keys(event.payload), ({}).x]"), R"({"__proto__":{"x":1}})"),
            R"([["__proto__"],null])");
}

TEST_F(Script, MayReturnNothing) {
  EXPECT_EQ(text(returning("null")), "");
  EXPECT_EQ(text(returning("undefined")), "");
  EXPECT_EQ(text(script_of("function transform() {}")), "");
  EXPECT_EQ(text(returning("({ toJSON() { return null } })")), "");
}

TEST_F(Script, ReturnsWhatJsonMakesOfIt) {
  EXPECT_EQ(text(returning("[NaN, undefined, () => 1, new Date(0), -0]")),
            R"([null,null,null,"1970-01-01T00:00:00.000Z",0])");
  EXPECT_EQ(text(returning("({ a: undefined, b: 1, [Symbol()]: 2 })")), R"({"b":1})");
  EXPECT_EQ(text(returning("String(2n ** 64n)")), R"("18446744073709551616")");
}

TEST_F(Script, MayBeWrittenAsAnyKindOfFunction) {
  EXPECT_EQ(text(script_of("const transform = (event) => event.id;")), R"("evt_1")");
  EXPECT_EQ(text(script_of("var transform = function (event) { return 2 }")), "2");
  EXPECT_EQ(text(script_of("let transform; transform = () => 3 // last")), "3");
  EXPECT_EQ(text(script_of("function process(event) { return 4 }", ScriptEntry::process)), "4");
}

TEST_F(Script, KnowsModernJavaScript) {
  EXPECT_EQ(text(returning("event.payload?.a?.b ?? [..."
                           "'ab'].at(-1)")),
            R"("b")");
  EXPECT_EQ(text(script_of("class A { #x = 1; static { this.y = 2 } get x() { return this.#x } }\n"
                           "function transform() { return [new A().x, A.y, Object.hasOwn({a: 1}, "
                           "'a'), 'aXa'.replaceAll('a', 'b')] }")),
            R"([1,2,true,"bXb"])");
}

TEST_F(Script, KnowsNoTimeZoneAndNoLanguage) {
  EXPECT_EQ(text(returning("[new Date(2026, 6, 1).toISOString(), new Date(0).toLocaleString(), "
                           "(1234.5).toLocaleString(), 'a'.localeCompare('b')]")),
            "[\"2026-07-01T00:00:00.000Z\",\"Thu Jan 01 1970 00:00:00 GMT+0000 "
            "(Coordinated Universal Time)\",\"1234.5\",-1]");
}

TEST_F(Script, FailsWithTheUsersLineAndColumn) {
  const ScriptFailure thrown = failure("function transform(event) {\n  const x = null;\n  x.y;\n}");
  EXPECT_EQ(thrown.fault, ScriptFault::thrown);
  EXPECT_EQ(thrown.message, "TypeError: x is null (line 3, column 3)");
  EXPECT_EQ(thrown.line, 3);
  EXPECT_EQ(thrown.column, 3);
  EXPECT_EQ(failure("throw new Error('top')").message, "Error: top (line 1, column 7)");
  EXPECT_EQ(failure("function transform() {\n throw 'text' }").message,
            "thrown: text (line 2, column 2)");
  EXPECT_EQ(failure("function transform() {\n\n  JSON.parse('{') }").line, 3);
  EXPECT_EQ(failure("\nfunction transform() { for (;;) {} }").line, 2);
  EXPECT_EQ(failure("function f(n) {\n return f(n + 1) }\nfunction transform() { f(0) }").line, 2);
}

TEST_F(Script, FailsToCompileWithTheUsersLineAndColumn) {
  const ScriptFailure wrong = failure("function transform(event) {\n  return event.;\n}");
  EXPECT_EQ(wrong.fault, ScriptFault::compile);
  EXPECT_THAT(wrong.message, StartsWith("SyntaxError: missing name after . operator"));
  EXPECT_EQ(wrong.line, 2);
  EXPECT_EQ(wrong.column, 16);
  EXPECT_EQ(failure("var 1").column, 5);
}

TEST_F(Script, HasStackTracesWithTheUsersLines) {
  EXPECT_EQ(console("function transform() {\n\n console.log(new Error('x').stack) }"),
            "transform@test:transform:3:14\n");
}

TEST_F(Script, IsCheckedWhenItIsSaved) {
  EXPECT_EQ(rig_->check(returning("1")).fault, ScriptFault::none);
  EXPECT_EQ(rig_->check(script_of("function process() {}", ScriptEntry::process)).fault,
            ScriptFault::none);

  const ScriptFailure wrong = rig_->check(script_of("function transform(event) {\n  return }}"));
  EXPECT_EQ(wrong.fault, ScriptFault::compile);
  EXPECT_EQ(wrong.message, "SyntaxError: one closing brace too many (line 2)");

  const ScriptFailure open = rig_->check(script_of("function transform(event) {\n  return 1"));
  EXPECT_EQ(open.fault, ScriptFault::compile);
  EXPECT_EQ(open.line, 2);

  const ScriptFailure missing = rig_->check(script_of("function process(event) {}"));
  EXPECT_EQ(missing.fault, ScriptFault::compile);
  EXPECT_EQ(missing.message, "does not define the function transform(event)");
  EXPECT_EQ(rig_->check(script_of("")).fault, ScriptFault::compile);
  EXPECT_EQ(rig_->check(script_of("while (true) {}")).fault, ScriptFault::timeout);
  EXPECT_EQ(rig_->check(script_of("null.x; function transform() {}")).fault, ScriptFault::thrown);
}

TEST_F(Script, HasAtMost64KiB) {
  const std::string filler(model::kScriptBytesMax - 30, ' ');
  EXPECT_EQ(rig_->check(script_of("function transform() {}" + filler)).fault, ScriptFault::none);
  const ScriptFailure large = rig_->check(script_of("function transform() {}        " + filler));
  EXPECT_EQ(large.fault, ScriptFault::compile);
  EXPECT_EQ(large.message, "has more than 64 KiB");
}

TEST_F(Script, MayNestDeeplyAndStillAnswers) {
  const std::string deep = "return " + std::string(20'000, '(') + "1" + std::string(20'000, ')');
  const ScriptFailure nested = failure("function transform() { " + deep + " }");
  EXPECT_THAT(nested.message, HasSubstr("too much recursion"));
  EXPECT_EQ(nested.fault, ScriptFault::memory);
}

TEST_F(Script, HasAConsoleThatIsKept) {
  EXPECT_EQ(console("function transform() { console.log('a', 1, {b: [2]}); console.warn(null); "
                    "console.error(undefined, true, 3n, Symbol('s')); console.info(); "
                    "console.debug(() => 1) }"),
            "a 1 {\"b\":[2]}\nnull\nundefined true 3n Symbol(s)\n\n[function]");
  EXPECT_EQ(console("function transform() { console.log(new TypeError('t')) }"), "TypeError: t");
  EXPECT_EQ(console("function transform() { const a = []; a[0] = a; console.log(a, 'after') }"),
            "[object that is not JSON] after");
  EXPECT_EQ(console("console.log('top'); function transform() { console.log('in'); throw 1 }"),
            "top\nin");
}

TEST_F(Script, HasAConsoleOfABoundedSize) {
  const std::string kept =
      console("function transform() { for (let i = 0; i < 1e4; i++) console.log('line €', i) }");
  EXPECT_LE(kept.size(), model::kConsoleBytesMax);
  EXPECT_GT(kept.size(), model::kConsoleBytesMax - 64);
  EXPECT_THAT(kept, ::testing::EndsWith("\n[the console is full]"));
  EXPECT_THAT(console("function transform() { console.log('x'.repeat(1e6)) }"),
              ::testing::EndsWith("\n[the console is full]"));
  EXPECT_THAT(console("function transform() { console.log('\\ud800') }"), "\xEF\xBF\xBD");
}

/// Walks everything that it can reach, as the lockdown does, and tries to leave something there.
constexpr std::string_view kGraffiti = R"(
function transform() {
  const seen = new Set();
  const add = (v) => { if (Object(v) === v) seen.add(v); };
  [globalThis, function* () {}, async function () {}, async function* () {}, () => 1, class {},
    [][Symbol.iterator](), ''[Symbol.iterator](), new Map().entries(), new Set().values(),
    'a'.matchAll(/a/g), (function* () {})(), (async function* () {})(), Promise.resolve(), /a/,
    (function () { return arguments; })(), new Date(), new Error('x'), Symbol.iterator,
    Object('x'), Object(1n), new Proxy({}, {}), new Int8Array(1), new DataView(new ArrayBuffer(1)),
    Proxy.revocable({}, {}), String.raw, console.log, (() => { try { null.x } catch (e) { return e }
    })(), (() => { try { eval('1') } catch (e) { return e } })()].forEach(add);
  const fresh = new Set(seen);
  const marked = [];
  for (const o of seen) {
    for (const k of Reflect.ownKeys(o)) {
      const d = Reflect.getOwnPropertyDescriptor(o, k);
      add(d.value); add(d.get); add(d.set);
    }
    add(Reflect.getPrototypeOf(o));
    if ('graffiti' in o) marked.push('found');
  }
  let shared = 0;
  for (const o of seen) {
    if (fresh.has(o) && !Object.isFrozen(o)) continue;
    shared++;
    if (Reflect.isExtensible(o)) {
      // What only this call made (its own prototypes and functions) may be changed.
      Reflect.set(o, 'graffiti', 1) || Reflect.defineProperty(o, 'graffiti', { value: 1 });
    }
  }
  return [marked.length, shared > 500];
})";

TEST_F(Script, LeavesNothingWhereTheNextCallLooks) {
  const auto script = script_of(std::string(kGraffiti));
  EXPECT_EQ(text(script), "[0,true]");
  EXPECT_EQ(text(script), "[0,true]");
  EXPECT_EQ(text(script), "[0,true]");
}

/// Calls every function that can be reached, with this and that.
constexpr std::string_view kEverything = R"(
function transform(event) {
  const functions = new Set();
  const seen = new Set([globalThis, function* () {}, async function () {}, async function* () {},
    [][Symbol.iterator](), 'a'.matchAll(/a/g), (function* () {})(), new Map().entries()]);
  const add = (v) => { if (Object(v) === v) seen.add(v); };
  for (const o of seen) {
    if (typeof o === 'function') functions.add(o);
    add(Reflect.getPrototypeOf(o));
    for (const k of Reflect.ownKeys(o)) {
      const d = Reflect.getOwnPropertyDescriptor(o, k);
      add(d.value); add(d.get); add(d.set);
    }
  }
  const values = () => [undefined, null, 3, 'Åe\u0301 a-2020-02-30T01:02:03Z', 5n, [3, 1, 2],
    { length: 2, 0: 'a' }, new Date(86400000 * 181), /\p{L}+/giu, new Map([[1, 2]]), new Set([1]),
    new Uint8Array(4), new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), Symbol('s'), () => 1,
    new Error('x'), Promise.resolve(1), new Proxy({}, {}), 'de-DE', 'NFKD', 'Europe/Berlin'];
  let calls = 0;
  let index = 0;
  for (const f of functions) {
    if (index++ % 8 !== event.payload) continue;
    for (const self of values()) {
      for (const argument of START) {
        try { Reflect.apply(f, self, [argument, 1, 'x']); } catch (e) {}
        calls++;
      }
    }
    for (const argument of values()) {
      try { Reflect.construct(f, [argument, 1]); } catch (e) {}
      calls++;
    }
  }
  return calls > 500;
})";

TEST_F(Script, MayCallEverythingThereIs) {
  // In parts, each well within the time of a call.
  for (const std::string_view start :
       {"'2020-01-02'", "7", "[1]", "/a/", "'NFKC'", "undefined", "{ a: 1 }", "5n", "() => 2"}) {
    std::string body(kEverything);
    body.replace(body.find("START"), 5, "[" + std::string(start) + "]");
    const auto script = script_of(body);
    for (int part = 0; part < 8; ++part) {
      EXPECT_EQ(text(script, std::to_string(part)), "true") << start << part;
    }
  }
}

TEST_F(Script, SharesNothingWithOtherScripts) {
  EXPECT_EQ(text(script_of("var shared = 1; function transform() { return 1 }")), "1");
  EXPECT_EQ(text(returning("typeof shared")), R"("undefined")");
}

}  // namespace
}  // namespace grapnel::js
