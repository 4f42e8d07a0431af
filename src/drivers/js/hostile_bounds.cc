// Hostile scripts that take time, memory and stack.
#include "drivers/js/hostile_scripts.h"

namespace grapnel::js {

using model::ScriptFault;

namespace {

// clang-format off
constexpr auto kRows = std::to_array<Hostile>({
    {"loop_at_top_level", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "while (true) {}\nfunction transform(event) {}"},
    {"loop_in_function", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { for (;;) {} }"},
    {"loop_in_getter", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { return { get a() { for (;;) {} } }; }"},
    {"loop_in_to_json", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { return { toJSON() { for (;;) {} } }; }"},
    {"loop_in_proxy_trap", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { return new Proxy({}, { ownKeys() { for (;;) {} } }); }"},
    {"loop_in_comparator", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { [3, 1, 2].sort(() => { for (;;) {} }); }"},
    {"loop_in_thrown_to_string", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { throw { toString() { for (;;) {} } }; }"},
    {"loop_in_error_message", ScriptFault::thrown, ScriptFault::thrown, "",
     "function transform(event) { const e = new Error(\"x\"); Object.defineProperty(e, \"m"
     "essage\", { get() { for (;;) {} } }); throw e; }"},
    {"loop_in_catch_and_finally", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { try { for (;;) {} } catch (e) { return 1; } finally { fo"
     "r (;;) {} } }"},
    {"loop_that_catches_all", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { for (;;) { try { throw 1; } catch (e) { continue; } } }"},
    {"labelled_loop", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { outer: for (;;) { for (;;) { continue outer; } } }"},
    {"recursion_without_end_in_generator", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { function* g() { for (;;) yield 1; } for (const x of g())"
     " {} }"},
    {"endless_iterator_spread", ScriptFault::timeout, ScriptFault::timeout, "",
     "function transform(event) { const it = { [Symbol.iterator]() { return { next: () => "
     "({ done: false }) }; } }; for (const x of it) {} }"},
    {"endless_iterator_into_array", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { return [...{ [Symbol.iterator]() { return { next: () => "
     "({ done: false, value: {} }) }; } }]; }"},
    {"catastrophic_regex", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { return /^(a+)+$/.test(\"a\".repeat(64) + \"b\"); }"},
    {"catastrophic_regex_with_backreference", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { return /^(a|aa|\\1)+$/.test(\"a\".repeat(99) + \"b\"); }"},
    {"regex_over_a_huge_text", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { const s = \"ab\".repeat(5e6); for (;;) s.replace(/a/g, \""
     "b\"); }"},
    {"bigint_power", ScriptFault::thrown, ScriptFault::thrown, "too large",
     "function transform(event) { return String(2n ** (2n ** 40n)); }"},
    {"bigint_loop", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { let x = 3n; for (;;) { x = x * x; if (x > 2n ** 500000n)"
     " x = 3n ** 200000n; } }"},
    {"bigint_shift", ScriptFault::thrown, ScriptFault::thrown, "too large",
     "function transform(event) { return String(1n << (2n ** 62n)); }"},
    {"json_parse_reviver", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { JSON.parse(\"[1]\", () => { for (;;) {} }); }"},
    {"json_stringify_replacer", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { JSON.stringify([1], () => { for (;;) {} }); }"},
    {"loop_in_console_argument", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { console.log({ toJSON() { for (;;) {} } }); }"},
    {"loop_in_symbol_to_primitive", ScriptFault::timeout, ScriptFault::timeout, "500 ms",
     "function transform(event) { return `${{ [Symbol.toPrimitive]() { for (;;) {} } }}`; "
     "}"},
    {"sorting_a_huge_array", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { const a = Array.from({ length: 3e5 }, (x, i) => (i * 791"
     "9) % 300007); for (;;) { a.reverse(); a.sort((x, y) => x - y); } }"},
    {"join_of_a_sparse_array", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { return new Array(2 ** 32 - 1).join(\"x\"); }"},
    {"index_of_in_a_sparse_array", ScriptFault::timeout, ScriptFault::timeout, "",
     "function transform(event) { const a = []; a[2 ** 32 - 2] = 1; for (;;) Array.prototy"
     "pe.indexOf.call({ length: 2 ** 53 - 1 }, 1); }"},
    {"array_from_a_false_length", ScriptFault::timeout, ScriptFault::thrown, "",
     "function transform(event) { Array.from({ length: 2 ** 53 - 1 }); }"},
    {"loop_through_proxy_prototype", ScriptFault::timeout, ScriptFault::timeout, "",
     "function transform(event) { const p = new Proxy({}, { get(target, key, receiver) { f"
     "or (;;) {} } }); return p.x; }"},
    {"loop_in_date_parse", ScriptFault::timeout, ScriptFault::timeout, "",
     "function transform(event) { for (;;) new Date(\"2020-01-01T00:00:00\").toString(); }"},
    {"array_of_2_29", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { return new Array(2 ** 29).fill(1).length; }"},
    {"array_of_2_27_filled", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const a = []; for (let i = 0; i < 2 ** 27; i++) a[i] = i"
     "; return a.length; }"},
    {"growing_map", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const m = new Map(); for (let i = 0; ; i++) m.set(i, \"x"
     "\" + i); }"},
    {"growing_set", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const s = new Set(); for (let i = 0; ; i++) s.add({ i })"
     "; }"},
    {"growing_array", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const a = []; for (;;) a.push({ a }); }"},
    {"growing_array_that_catches", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const a = []; for (;;) { try { for (;;) a.push(new Array"
     "(1e5).fill(1)); } catch (e) {} } }"},
    {"doubling_string", ScriptFault::memory, ScriptFault::memory, "",
     "function transform(event) { let s = \"x\"; for (;;) s += s; }"},
    {"flattened_doubling_string", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { let s = \"x\"; const a = []; for (;;) { s += s; a.push(s"
     ".charCodeAt(s.length - 1), s.split(\"\")); } }"},
    {"string_repeat", ScriptFault::memory, ScriptFault::thrown, "",
     "function transform(event) { return \"x\".repeat(2 ** 29).length + \"abc\".repeat(2 *"
     "* 30); }"},
    {"string_pad", ScriptFault::memory, ScriptFault::thrown, "",
     "function transform(event) { const a = []; for (let i = 0; ; i++) a.push(\"\".padEnd("
     "2 ** 28, \"ab\" + i).split(\"\")); }"},
    {"array_buffers", ScriptFault::memory, ScriptFault::thrown, "",
     "function transform(event) { const a = []; for (;;) a.push(new ArrayBuffer(2 ** 24));"
     " }"},
    {"typed_arrays", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const a = []; for (;;) a.push(new Float64Array(2 ** 20)."
     "fill(1)); }"},
    {"one_huge_array_buffer", ScriptFault::memory, ScriptFault::thrown, "",
     "function transform(event) { return new ArrayBuffer(2 ** 40).byteLength; }"},
    {"huge_regex", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { return new RegExp(\"(a{1000}){1000}\".repeat(200)).test("
     "\"a\".repeat(1e6)); }"},
    {"regex_of_many_groups", ScriptFault::memory, ScriptFault::thrown, "",
     "function transform(event) { return new RegExp(\"(\".repeat(1e6) + \")\".repeat(1e6))"
     ".test(\"x\"); }"},
    {"symbols", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { const a = []; for (let i = 0; ; i++) a.push(Symbol.for(\""
     "k\" + i)); }"},
    {"closures", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { let f = () => 0; for (;;) { const g = f; const junk = ne"
     "w Array(100).fill(1); f = () => [g, junk]; } }"},
    {"promises", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const a = []; for (;;) a.push(Promise.resolve(a.length)."
     "then(() => a)); }"},
    {"wide_object", ScriptFault::memory, ScriptFault::timeout, "",
     "function transform(event) { const o = {}; for (let i = 0; ; i++) o[\"key\" + i] = i;"
     " }"},
    {"deep_json", ScriptFault::memory, ScriptFault::result, "recursion",
     "function transform(event) { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; retur"
     "n a; }"},
    {"json_parse_of_deep_text", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { return JSON.parse(\"[\".repeat(5e5) + \"]\".repeat(5e5))"
     "; }"},
    {"memory_in_console", ScriptFault::none, ScriptFault::none, "",
     "function transform(event) { const s = \"x\".repeat(1e6); for (let i = 0; i < 100; i+"
     "+) console.log(s, [s]); return \"printed\"; }"},
    {"recursion", ScriptFault::memory, ScriptFault::memory, "recursion",
     "function transform(event) { return transform(event); }"},
    {"recursion_in_to_json", ScriptFault::memory, ScriptFault::memory, "recursion",
     "function transform(event) { const o = { toJSON() { return JSON.stringify(o); } }; re"
     "turn o; }"},
    {"recursion_in_proxy", ScriptFault::memory, ScriptFault::memory, "recursion",
     "function transform(event) { const h = {}; const p = new Proxy({}, h); h.get = (t, k)"
     " => p[k]; return p.x; }"},
    {"recursion_in_getter", ScriptFault::memory, ScriptFault::memory, "recursion",
     "function transform(event) { const o = { get a() { return this.a; } }; return o.a; }"},
    {"recursion_that_catches", ScriptFault::timeout, ScriptFault::memory, "",
     "function transform(event) { function f() { try { f(); } catch (e) { f(); } } f(); }"},
});
// clang-format on

}  // namespace

std::vector<Hostile> hostile_bounds() { return {kRows.begin(), kRows.end()}; }

}  // namespace grapnel::js
