// node:util.
(function ({ inspect: show, kindOf }) {
  const custom = Symbol.for("nodejs.util.inspect.custom");

  function inspect(value, options = {}) {
    if (typeof value?.[custom] === "function") {
      const shown = value[custom](2, options, inspect);
      if (typeof shown === "string") return shown;
      value = shown;
    }
    return typeof value === "string" ? "'" + value.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n") + "'" : show(value);
  }
  inspect.custom = custom;
  inspect.defaultOptions = {};

  function format(first, ...rest) {
    const text = (v) => (typeof v === "string" ? v : show(v));
    if (typeof first !== "string") return [first, ...rest].map(text).join(" ");
    const out = first.replace(/%[sdifjoOc%]/g, (what) => {
      if (what === "%%") return "%";
      if (rest.length === 0) return what;
      const value = rest.shift();
      switch (what) {
        case "%s": return typeof value === "bigint" ? value + "n" : text(value);
        case "%d": return typeof value === "bigint" ? value + "n" : String(Number(value));
        case "%i": return String(parseInt(value));
        case "%f": return String(parseFloat(value));
        case "%j":
          try {
            return JSON.stringify(value);
          } catch {
            return "[Circular]";
          }
        case "%c": return "";
        default: return show(value);
      }
    });
    return [out, ...rest.map(text)].join(" ");
  }

  const promisified = Symbol.for("nodejs.util.promisify.custom");
  function promisify(fn) {
    if (typeof fn !== "function") throw Object.assign(new TypeError('The "original" argument must be of type function'), { code: "ERR_INVALID_ARG_TYPE" });
    if (typeof fn[promisified] === "function") return fn[promisified];
    return function (...args) {
      return new Promise((resolve, reject) => fn.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value))));
    };
  }
  promisify.custom = promisified;

  function callbackify(fn) {
    return function (...args) {
      const callback = args.pop();
      fn.apply(this, args).then((value) => queueMicrotask(() => callback(null, value)), (e) => queueMicrotask(() => callback(e ?? new Error("rejected without a reason"))));
    };
  }

  function isDeepStrictEqual(a, b, strict = true, seen = new Map()) {
    if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    if (seen.get(a) === b) return true;
    seen.set(a, b);
    const same = (x, y) => isDeepStrictEqual(x, y, strict, seen);
    if (types.isDate(a) || types.isDate(b)) return types.isDate(a) && types.isDate(b) && a.getTime() === b.getTime();
    if (types.isRegExp(a) || types.isRegExp(b)) return String(a) === String(b);
    if (a instanceof Error && (a.name !== b.name || a.message !== b.message)) return false;
    if (types.isMap(a) || types.isSet(a)) {
      if (a.size !== b.size || types.isMap(a) !== types.isMap(b)) return false;
      const others = [...b];
      return [...a].every((x) => {
        const at = others.findIndex((y) => same(x, y));
        if (at >= 0) others.splice(at, 1);
        return at >= 0;
      });
    }
    if (ArrayBuffer.isView(a)) return a.length === b.length && Array.prototype.every.call(a, (x, i) => Object.is(x, b[i]));
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && same(a[k], b[k]));
  }

  const view = (name) => (v) => ArrayBuffer.isView(v) && v[Symbol.toStringTag] === name;
  const types = {
    isDate: kindOf(new Date()), isRegExp: kindOf(/x/), isMap: kindOf(new Map()), isSet: kindOf(new Set()), isWeakMap: kindOf(new WeakMap()), isWeakSet: kindOf(new WeakSet()),
    isPromise: (v) => v instanceof Promise, isNativeError: (v) => Error.isError(v), isArrayBuffer: kindOf(new ArrayBuffer(0)),
    isAnyArrayBuffer: (v) => v instanceof ArrayBuffer || v instanceof SharedArrayBuffer, isArrayBufferView: (v) => ArrayBuffer.isView(v), isSharedArrayBuffer: (v) => v instanceof SharedArrayBuffer,
    isTypedArray: (v) => ArrayBuffer.isView(v) && !(v instanceof DataView), isUint8Array: view("Uint8Array"), isDataView: (v) => v instanceof DataView,
    isAsyncFunction: (v) => typeof v === "function" && v[Symbol.toStringTag] === "AsyncFunction", isGeneratorFunction: (v) => typeof v === "function" && /Generator/.test(v[Symbol.toStringTag]),
    isProxy: () => false, isBoxedPrimitive: (v) => v instanceof Number || v instanceof String || v instanceof Boolean, isSymbolObject: () => false,
    isKeyObject: () => false, isCryptoKey: (v) => v instanceof CryptoKey, isExternal: () => false, isModuleNamespaceObject: () => false,
  };
  for (const name of ["Int8", "Int16", "Int32", "Uint16", "Uint32", "Float32", "Float64", "BigInt64", "BigUint64"]) types["is" + name + "Array"] = view(name + "Array");

  function inherits(made, from) {
    Object.defineProperty(made, "super_", { value: from, writable: true, configurable: true });
    Object.setPrototypeOf(made.prototype, from.prototype);
  }

  return {
    inspect, format, formatWithOptions: (_, ...args) => format(...args), promisify, callbackify, inherits, types, isDeepStrictEqual,
    deprecate: (fn) => fn, debuglog: () => Object.assign(() => {}, { enabled: false }), debug: () => Object.assign(() => {}, { enabled: false }),
    TextEncoder, TextDecoder, stripVTControlCharacters: (text) => text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, ""), styleText: (_, text) => text, toUSVString: (text) => String(text).toWellFormed(),
    isArray: Array.isArray, isBoolean: (v) => typeof v === "boolean", isNull: (v) => v === null, isNullOrUndefined: (v) => v === null || v === undefined, isNumber: (v) => typeof v === "number",
    isString: (v) => typeof v === "string", isSymbol: (v) => typeof v === "symbol", isUndefined: (v) => v === undefined, isRegExp: types.isRegExp, isDate: types.isDate,
    isObject: (v) => typeof v === "object" && v !== null, isFunction: (v) => typeof v === "function", isError: (v) => Error.isError(v), isPrimitive: (v) => Object(v) !== v,
    isBuffer: (v) => Buffer.isBuffer(v), _extend: Object.assign,
  };
})
