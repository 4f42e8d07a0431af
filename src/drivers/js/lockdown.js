// Run once in each realm before a script sees it. Afterwards nothing that two calls share can be
// changed: what is reachable without calling the script's own functions is frozen, so no call
// leaves anything behind for the next one.
(function () {
  'use strict';
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, deleteProperty } =
    Reflect;
  const freeze = Object.freeze;
  const join = Array.prototype.join;
  const call = Function.prototype.call.bind(Function.prototype.call);
  const TypedArray = getPrototypeOf(Int8Array);

  // Shared memory and threads, code from text, timers, garbage that tells, and what depends on the
  // machine's language. Most of them are not there to begin with.
  for (const name of ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'WeakRef',
    'FinalizationRegistry', 'Intl', 'Debugger', 'InternalError', 'performance']) {
    if (!deleteProperty(globalThis, name)) throw new Error(name + ' stays');
  }

  // As ECMA-262 has them without ECMA-402: the same on every machine.
  const plain = (holder, methods) => {
    for (const name of ownKeys(methods)) {
      defineProperty(holder, name, {
        value: methods[name], writable: true, enumerable: false, configurable: true,
      });
    }
  };
  const joined = { toLocaleString() { return call(join, this, ','); } };
  plain(Array.prototype, joined);
  plain(TypedArray.prototype, joined);
  plain(Number.prototype, { toLocaleString() { return this.toString(); } });
  plain(BigInt.prototype, { toLocaleString() { return this.toString(); } });
  plain(Date.prototype, {
    toLocaleString() { return this.toString(); },
    toLocaleDateString() { return this.toDateString(); },
    toLocaleTimeString() { return this.toTimeString(); },
  });
  plain(String.prototype, {
    localeCompare(other) {
      const mine = `${this}`;
      const theirs = `${other}`;
      return mine < theirs ? -1 : mine > theirs ? 1 : 0;
    },
    toLocaleLowerCase() { return this.toLowerCase(); },
    toLocaleUpperCase() { return this.toUpperCase(); },
  });

  // A frozen data property of a prototype would also forbid assigning to that name on every object
  // that inherits it. As an accessor it does not. Left out is what engines look up on each step of
  // a loop, a spread or a match.
  const assignable = (holder, names) => {
    for (const name of names) {
      const found = getOwnPropertyDescriptor(holder, name);
      if (!found || !('value' in found) || !found.configurable) continue;
      const value = found.value;
      defineProperty(holder, name, {
        configurable: true,
        enumerable: found.enumerable,
        get() { return value; },
        set(mine) {
          const own = { value: mine, writable: true, enumerable: true, configurable: true };
          if (this === holder || !defineProperty(this, name, own)) {
            throw new TypeError(`"${String(name)}" cannot be changed here`);
          }
        },
      });
    }
  };
  assignable(Object.prototype, ownKeys(Object.prototype));
  assignable(Function.prototype, ['constructor', 'toString', 'bind', 'call', 'apply']);
  assignable(Array.prototype, ['toString', 'toLocaleString']);
  assignable(TypedArray.prototype, ['toString', 'toLocaleString']);
  for (const kind of [Date, Map, Set, WeakMap, WeakSet, ArrayBuffer, DataView, Promise]) {
    assignable(kind.prototype, ['toString', 'toJSON', 'valueOf', 'name']);
  }
  for (const kind of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError,
    URIError, AggregateError]) {
    assignable(kind.prototype, ['constructor', 'message', 'name', 'toString']);
  }

  // Everything that can be reached from the global object, and from what only syntax reaches.
  const seen = new Set();
  const add = (value) => {
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      seen.add(value);
    }
  };
  add(globalThis);
  const generator = function* () {};
  const asyncGenerator = async function* () {};
  for (const hidden of [generator, asyncGenerator, async function () {}]) {
    add(getPrototypeOf(hidden));
  }
  add(getPrototypeOf(generator.prototype));
  add(getPrototypeOf(asyncGenerator.prototype));
  for (const iterator of [[][Symbol.iterator](), new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](), ''[Symbol.iterator](), 'a'.matchAll(/a/g)]) {
    add(getPrototypeOf(iterator));
  }
  add(getOwnPropertyDescriptor((function () { return arguments; })(), 'callee').get);
  for (const holder of seen) {  // a Set is walked on while it grows
    add(getPrototypeOf(holder));
    for (const key of ownKeys(holder)) {
      const property = getOwnPropertyDescriptor(holder, key);
      add(property.value);
      add(property.get);
      add(property.set);
    }
  }
  for (const holder of seen) freeze(holder);
  return seen.size;
})()
