// structuredClone.
(function ({ inspect, kindOf }) {
  const isMap = kindOf(new Map());
  const isSet = kindOf(new Set());
  const isDate = kindOf(new Date());
  const isRegExp = kindOf(/x/);
  const isBuffer = kindOf(new ArrayBuffer(0));
  const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const views = {
    Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    Float16Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView,
  };

  function clone(value, seen) {
    if (typeof value === "function" || typeof value === "symbol") {
      throw new DOMException("structuredClone cannot copy " + inspect(value), "DataCloneError");
    }
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (made) => {
      seen.set(value, made);
      return made;
    };
    if (isDate(value)) return keep(new Date(value.getTime()));
    if (isRegExp(value)) return keep(new RegExp(value.source, value.flags));
    if (isMap(value)) {
      const made = keep(new Map());
      value.forEach((v, k) => made.set(clone(k, seen), clone(v, seen)));
      return made;
    }
    if (isSet(value)) {
      const made = keep(new Set());
      value.forEach((v) => made.add(clone(v, seen)));
      return made;
    }
    if (isBuffer(value)) return keep(value.slice(0));
    if (ArrayBuffer.isView(value)) {
      const view = views[value[Symbol.toStringTag]] ?? DataView;
      return keep(new view(clone(value.buffer, seen), value.byteOffset, value.length ?? value.byteLength));
    }
    if (Error.isError(value)) return cloneError(value, seen, keep);
    const made = keep(Array.isArray(value) ? [] : {});
    if (Array.isArray(value)) made.length = value.length;
    for (const key of Object.keys(value)) {
      Object.defineProperty(made, key, { value: clone(value[key], seen), writable: true, configurable: true, enumerable: true });
    }
    return made;
  }

  function cloneError(value, seen, keep) {
    const make = Object.hasOwn(errors, value.name) ? errors[value.name] : Error;
    const made = keep(new make(value.message));
    Object.defineProperty(made, "stack", { value: value.stack, writable: true, configurable: true });
    if (Object.hasOwn(value, "cause")) {
      Object.defineProperty(made, "cause", { value: clone(value.cause, seen), writable: true, configurable: true });
    }
    return made;
  }

  return {
    structuredClone(value) {
      if (arguments.length === 0) throw new TypeError("structuredClone needs a value");
      return clone(value, new Map());
    },
  };
})
