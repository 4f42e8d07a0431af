// Hostile scripts that return what is no result, tamper with what the next call gets, and reach for
// what is not theirs.
#include "drivers/js/hostile_scripts.h"

namespace grapnel::js {

using model::ScriptFault;

namespace {

// clang-format off
constexpr auto kRows = std::to_array<Hostile>({
    {"cyclic_result", ScriptFault::result, ScriptFault::result, "cyclic",
     "function transform(event) { const a = []; a[0] = a; return a; }"},
    {"function_result", ScriptFault::result, ScriptFault::result, "function",
     "function transform(event) { return transform; }"},
    {"symbol_result", ScriptFault::result, ScriptFault::result, "symbol",
     "function transform(event) { return Symbol(\"x\"); }"},
    {"bigint_result", ScriptFault::result, ScriptFault::result, "BigInt",
     "function transform(event) { return 1n; }"},
    {"bigint_inside_result", ScriptFault::result, ScriptFault::result, "BigInt",
     "function transform(event) { return { a: [1n] }; }"},
    {"promise_result", ScriptFault::result, ScriptFault::result, "promise",
     "function transform(event) { return Promise.resolve(1); }"},
    {"async_function", ScriptFault::result, ScriptFault::result, "promise",
     "async function transform(event) { return 1; }"},
    {"getter_that_throws_in_result", ScriptFault::result, ScriptFault::result, "boo",
     "function transform(event) { return { get a() { throw new Error(\"boo\"); } }; }"},
    {"to_json_that_throws", ScriptFault::result, ScriptFault::result, "boo",
     "function transform(event) { return { toJSON() { throw new Error(\"boo\"); } }; }"},
    {"result_above_its_bound", ScriptFault::result, ScriptFault::result, "8 MiB",
     "function transform(event) { return \"x\".repeat(2 ** 23); }"},
    {"result_far_above_its_bound", ScriptFault::memory, ScriptFault::result, "",
     "function transform(event) { return \"\\u0001\".repeat(2 ** 28); }"},
    {"sparse_result", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const a = []; a.length = 2 ** 32 - 1; return a; }"},
    {"result_that_grows_while_it_is_read", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { const o = { get a() { return { get a() { return o; } }; "
     "} }; const p = new Proxy([], { get(t, k) { return k === \"length\" ? 2 ** 40 : 1; } "
     "}); return p; }"},
    {"global_variable", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { globalThis.x = (globalThis.x || 0) + 1; return x; }"},
    {"undeclared_variable", ScriptFault::thrown, ScriptFault::thrown, "undeclared",
     "function transform(event) { leaked = 1; return leaked; }"},
    {"top_level_variable", ScriptFault::none, ScriptFault::none, "1",
     "let n = 0; var m = 0; class K { static s = 0; }\nfunction transform(event) { n++; m+"
     "+; K.s++; transform.t = (transform.t || 0) + 1; return Math.max(n, m, K.s, transform"
     ".t); }"},
    {"object_prototype", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Object.prototype.leak = 1; return 1; }"},
    {"object_prototype_by_define", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Object.defineProperty(Object.prototype, \"leak\", { valu"
     "e: 1 }); return 1; }"},
    {"object_prototype_by_proto", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { ({}).__proto__.leak = 1; return 1; }"},
    {"array_prototype", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Array.prototype.map = () => 1; return 1; }"},
    {"array_prototype_index", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Array.prototype[0] = 1; return 1; }"},
    {"array_iterator", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Object.getPrototypeOf([][Symbol.iterator]()).next = () ="
     "> ({ done: true }); return 1; }"},
    {"generator_prototype", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Object.getPrototypeOf(function* () {}).prototype.next = "
     "1; return 1; }"},
    {"function_prototype", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Function.prototype.call = () => 1; return 1; }"},
    {"json_parse_replaced", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { JSON.parse = () => 1; return 1; }"},
    {"to_json_on_prototypes", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Date.prototype.toJSON = () => 1; String.prototype.toJSON"
     " = () => 1; return 1; }"},
    {"set_prototype_of_intrinsics", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Object.setPrototypeOf(Array.prototype, { leak: 1 }); ret"
     "urn 1; }"},
    {"console_replaced", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { console.log = () => 1; return 1; }"},
    {"console_property", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { console.seen = 1; return 1; }"},
    {"math_property", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { Math.seen = 1; return 1; }"},
    {"error_prepare_stack_trace", ScriptFault::none, ScriptFault::none, "\"undefined\"",
     "function transform(event) { try { Error.prepareStackTrace = () => 1; } catch (e) {} "
     "try { Error.stackTraceLimit = 1; } catch (e) {} return typeof Error.prepareStackTrac"
     "e; }"},
    {"regexp_left_context", ScriptFault::none, ScriptFault::none, "[\"\",\"\",\"\"]",
     "function transform(event) { const seen = [RegExp.leftContext, RegExp.rightContext, R"
     "egExp.lastParen]; \"secret\".search(/cr/); return seen; }"},
    {"regexp_statics", ScriptFault::none, ScriptFault::none, "[\"\",\"\"]",
     "function transform(event) { const seen = [RegExp.lastMatch, RegExp.$1]; /(s)ecret/.e"
     "xec(\"secret\"); return seen; }"},
    {"regexp_input", ScriptFault::none, ScriptFault::none, "\"\"",
     "function transform(event) { const seen = RegExp.input; RegExp.input = \"kept\"; retu"
     "rn seen; }"},
    {"regexp_last_index", ScriptFault::none, ScriptFault::none, "0",
     "function transform(event) { const r = /a/g; const seen = r.lastIndex; r.exec(\"aaa\""
     "); return seen; }"},
    {"template_object", ScriptFault::none, ScriptFault::none, "0",
     "function transform(event) { const tag = (s) => s; const o = tag`a${1}b`; let n = 0; "
     "try { o.seen = 1; } catch (e) {} return Object.keys(o).length - 2; }"},
    {"symbol_registry", ScriptFault::none, ScriptFault::none, "\"undefined\"",
     "function transform(event) { const s = Symbol.for(\"kept\"); try { s.seen = 1; } catc"
     "h (e) {} return typeof s.seen; }"},
    {"promise_jobs_later", ScriptFault::none, ScriptFault::none, "\"undefined\"",
     "function transform(event) { Promise.resolve().then(() => { globalThis.late = 1; }); "
     "return typeof globalThis.late; }"},
    {"own_objects_stay_usable", ScriptFault::none, ScriptFault::none, "\"mine/A/x\"",
     "function transform(event) { const o = {}; o.toString = () => \"mine\"; o.constructor"
     " = 5; o.hasOwnProperty = 1; class A extends Error { constructor(m) { super(m); this."
     "name = \"A\"; this.message = \"x\"; } } const a = new A(\"q\"); return `${o}/${a.nam"
     "e}/${a.message}`; }"},
    {"function_caller", ScriptFault::none, ScriptFault::none, "\"threw\"",
     "function transform(event) { function f() { return f.caller; } try { return String(f("
     ")); } catch (e) { return \"threw\"; } }"},
    {"eval_of_text", ScriptFault::thrown, ScriptFault::thrown, "eval",
     "function transform(event) { return eval(\"1\"); }"},
    {"indirect_eval", ScriptFault::thrown, ScriptFault::thrown, "eval",
     "function transform(event) { return (0, eval)(\"1\"); }"},
    {"function_constructor", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { return Function(\"return 1\")(); }"},
    {"function_constructor_by_instance", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { return (() => 1).constructor(\"return this\")(); }"},
    {"generator_function_constructor", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { return Object.getPrototypeOf(function* () {}).constructo"
     "r(\"yield 1\")().next(); }"},
    {"async_function_constructor", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { return Object.getPrototypeOf(async () => 1).constructor("
     "\"return 1\")(); }"},
    {"dynamic_import", ScriptFault::result, ScriptFault::thrown, "promise",
     "function transform(event) { return import(\"fs\"); }"},
    {"static_import", ScriptFault::compile, ScriptFault::compile, "",
     "import fs from \"fs\";\nfunction transform(event) {}"},
    {"require", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return require(\"fs\"); }"},
    {"process", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return process.exit(1); }"},
    {"no_load", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return load; }"},
    {"no_print", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return print; }"},
    {"no_quit", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return quit; }"},
    {"no_os", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return os; }"},
    {"no_read", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return read; }"},
    {"no_deno", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return Deno; }"},
    {"no_worker", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return Worker; }"},
    {"no_fetch", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return fetch; }"},
    {"no_xmlhttp_request", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return XMLHttpRequest; }"},
    {"no_set_timeout", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return setTimeout; }"},
    {"no_performance", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return performance; }"},
    {"no_shared_array_buffer", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return SharedArrayBuffer; }"},
    {"no_atomics", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return Atomics; }"},
    {"no_web_assembly", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return WebAssembly; }"},
    {"no_weak_ref", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return WeakRef; }"},
    {"no_finalization_registry", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return FinalizationRegistry; }"},
    {"no_intl", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return Intl; }"},
    {"no_debugger", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return Debugger; }"},
    {"no_structured_clone", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return structuredClone; }"},
    {"no_import_scripts", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return importScripts; }"},
    {"no_queue_microtask", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return queueMicrotask; }"},
    {"no_gc", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return gc; }"},
    {"no_dump", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return dump; }"},
    {"no_create_is_htmldda", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return createIsHTMLDDA; }"},
    {"no_new_global", ScriptFault::thrown, ScriptFault::thrown, "not defined",
     "function transform(event) { return newGlobal; }"},
    {"closing_the_function", ScriptFault::compile, ScriptFault::compile, "",
     "}); globalThis.x = 1; (function () {\nfunction transform(event) {}"},
    {"closing_the_function_by_brace", ScriptFault::compile, ScriptFault::compile, "",
     "}\nfunction other() {\nfunction transform(event) {}"},
    {"open_comment", ScriptFault::compile, ScriptFault::compile, "",
     "function transform(event) {} /*"},
    {"html_comment", ScriptFault::none, ScriptFault::none, "",
     "function transform(event) { return 1 }\n<!-- x"},
    {"open_template", ScriptFault::compile, ScriptFault::compile, "",
     "function transform(event) {} `"},
    {"return_at_top_level", ScriptFault::compile, ScriptFault::compile, "transform",
     "return 1;\nfunction transform(event) {}"},
    {"this_at_top_level", ScriptFault::none, ScriptFault::none, "\"undefined\"",
     "const self = this;\nfunction transform(event) { return typeof self; }"},
    {"arguments_callee", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { return arguments.callee.caller; }"},
    {"lone_surrogates", ScriptFault::none, ScriptFault::none, "",
     "function transform(event) { console.log(\"\\ud800\"); return \"\\udc00\" + String.fr"
     "omCharCode(0xd800); }"},
    {"transform_is_no_function", ScriptFault::compile, ScriptFault::compile, "transform",
     "const transform = 5;"},
    {"transform_is_a_proxy", ScriptFault::timeout, ScriptFault::timeout, "",
     "const transform = new Proxy(function () {}, { apply() { for (;;) {} } });"},
    {"null_characters", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { throw new Error(\"a\\u0000b\\nc\"); }"},
});
// clang-format on

}  // namespace

std::vector<Hostile> hostile_reach() { return {kRows.begin(), kRows.end()}; }

}  // namespace grapnel::js
