// node:assert.
(function ({ need, inspect }) {
  const { isDeepStrictEqual } = need("node:util");

  class AssertionError extends Error {
    constructor({ message, actual, expected, operator }) {
      super(message ?? inspect(actual) + " " + operator + " " + inspect(expected));
      this.name = "AssertionError";
      this.code = "ERR_ASSERTION";
      this.generatedMessage = message === undefined;
      Object.assign(this, { actual, expected, operator });
    }
  }

  function check(holds, message, actual, expected, operator) {
    if (holds) return;
    if (message instanceof Error) throw message;
    throw new AssertionError({ message, actual, expected, operator });
  }

  const assert = (value, message) => check(value, message ?? "The expression evaluated to a falsy value", value, true, "==");
  const deep = (a, b) => isDeepStrictEqual(a, b, false);

  function fits(error, expected) {
    if (expected === undefined || typeof expected === "string") return true;
    if (expected instanceof RegExp) return expected.test(String(error));
    if (typeof expected === "function") {
      if (expected.prototype !== undefined && error instanceof expected) return true;
      return !Error.isPrototypeOf(expected) && expected.call({}, error) === true;
    }
    return Object.keys(expected).every((k) => (expected[k] instanceof RegExp && typeof error[k] === "string" ? expected[k].test(error[k]) : isDeepStrictEqual(error[k], expected[k])));
  }

  function thrown(error, expected, message) {
    if (!fits(error, expected)) {
      if (typeof expected === "function" || expected instanceof RegExp) throw error;
      check(false, message, error, expected, "throws");
    }
  }

  Object.assign(assert, {
    AssertionError, ok: assert,
    equal: (a, b, m) => check(a == b || (a !== a && b !== b), m, a, b, "=="),
    notEqual: (a, b, m) => check(a != b, m, a, b, "!="),
    strictEqual: (a, b, m) => check(Object.is(a, b), m, a, b, "strictEqual"),
    notStrictEqual: (a, b, m) => check(!Object.is(a, b), m, a, b, "notStrictEqual"),
    deepEqual: (a, b, m) => check(deep(a, b), m, a, b, "deepEqual"),
    notDeepEqual: (a, b, m) => check(!deep(a, b), m, a, b, "notDeepEqual"),
    deepStrictEqual: (a, b, m) => check(isDeepStrictEqual(a, b), m, a, b, "deepStrictEqual"),
    notDeepStrictEqual: (a, b, m) => check(!isDeepStrictEqual(a, b), m, a, b, "notDeepStrictEqual"),
    match: (text, pattern, m) => check(pattern.test(text), m, text, pattern, "match"),
    doesNotMatch: (text, pattern, m) => check(!pattern.test(text), m, text, pattern, "doesNotMatch"),
    fail: (m = "Failed") => check(false, m, undefined, undefined, "fail"),
    ifError(value) { if (value !== null && value !== undefined) throw value; },
    throws(fn, expected, message) {
      try {
        fn();
      } catch (e) {
        return thrown(e, expected, message);
      }
      check(false, (typeof expected === "string" ? expected : message) ?? "Missing expected exception.", undefined, expected, "throws");
    },
    doesNotThrow(fn) { fn(); },
    async rejects(what, expected, message) {
      try {
        await (typeof what === "function" ? what() : what);
      } catch (e) {
        return thrown(e, expected, message);
      }
      check(false, (typeof expected === "string" ? expected : message) ?? "Missing expected rejection.", undefined, expected, "rejects");
    },
    async doesNotReject(what) { await (typeof what === "function" ? what() : what); },
  });
  assert.strict = Object.assign((...args) => assert(...args), assert, {
    equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
  });
  assert.strict.strict = assert.strict;
  return assert;
})
