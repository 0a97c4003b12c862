// Buffer, as far as people use it.
(function ({ host, bytesOf }) {
  // The numbers are those of texts.go.
  const encodings = {
    utf8: 0, "utf-8": 0, utf16le: 1, "utf-16le": 1, ucs2: 1, "ucs-2": 1, latin1: 4, binary: 4, ascii: 5, base64: 6, base64url: 7, hex: 8,
  };
  const maxLength = 2 ** 31 - 1;

  function encodingOf(name) {
    if (name === undefined || name === null || name === "") return 0;
    const found = encodings[String(name).toLowerCase()];
    if (found === undefined) throw coded(TypeError, "ERR_UNKNOWN_ENCODING", "Unknown encoding: " + name);
    return found;
  }

  function coded(Type, code, message) {
    const error = new Type(message);
    error.code = code;
    return error;
  }

  const asBuffer = (bytes) => Object.setPrototypeOf(bytes, Buffer.prototype);
  const view = (b) => new DataView(b.buffer, b.byteOffset, b.byteLength);

  class FastBuffer extends Uint8Array {}

  function Buffer(value, encoding, length) {
    return typeof value === "number" ? Buffer.alloc(value) : Buffer.from(value, encoding, length);
  }
  Object.setPrototypeOf(Buffer, Uint8Array);
  Buffer.prototype = FastBuffer.prototype;
  Object.defineProperty(FastBuffer.prototype, "constructor", { value: Buffer, writable: true, configurable: true });
  Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer });

  const statics = {
    poolSize: 8192,
    from(value, encoding, length) {
      if (typeof value === "string") return asBuffer(host.encode(value, encodingOf(encoding)));
      if (typeof value !== "object" || value === null) {
        throw coded(TypeError, "ERR_INVALID_ARG_TYPE", "The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object.");
      }
      if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new FastBuffer(value, encoding, length);
      if (ArrayBuffer.isView(value)) return asBuffer(Uint8Array.from(value));
      const plain = value.valueOf?.();
      if (plain !== undefined && plain !== null && plain !== value) return Buffer.from(plain, encoding, length);
      if (value.type === "Buffer" && Array.isArray(value.data)) return asBuffer(Uint8Array.from(value.data));
      if (typeof value[Symbol.toPrimitive] === "function") return Buffer.from(value[Symbol.toPrimitive]("string"), encoding);
      return asBuffer(Uint8Array.from(value));
    },
    alloc(size, fill, encoding) {
      if (typeof size !== "number" || !(size >= 0) || size > maxLength) throw coded(RangeError, "ERR_INVALID_ARG_VALUE", "The size of a Buffer must be a number from 0 to " + maxLength);
      const made = new FastBuffer(size);
      return fill === undefined || fill === 0 ? made : made.fill(fill, encoding);
    },
    allocUnsafe: (size) => Buffer.alloc(size),
    allocUnsafeSlow: (size) => Buffer.alloc(size),
    isBuffer: (value) => value instanceof FastBuffer,
    isEncoding: (name) => typeof name === "string" && encodings[name.toLowerCase()] !== undefined,
    byteLength(value, encoding) {
      if (typeof value === "string") return host.encode(value, encodingOf(encoding)).length;
      return value.byteLength;
    },
    concat(list, length) {
      if (!Array.isArray(list)) throw coded(TypeError, "ERR_INVALID_ARG_TYPE", "Buffer.concat needs an array of Buffers");
      const made = new FastBuffer(length ?? list.reduce((n, b) => n + b.length, 0));
      let at = 0;
      for (const b of list) {
        const part = b.subarray(0, Math.max(0, made.length - at));
        made.set(part, at);
        at += part.length;
      }
      return made;
    },
    compare(a, b) {
      const n = Math.min(a.length, b.length);
      for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
      return Math.sign(a.length - b.length);
    },
    of: (...items) => asBuffer(Uint8Array.of(...items)),
    copyBytesFrom: (of, from, length) => asBuffer(bytesOf(of.subarray(from, length === undefined ? undefined : (from ?? 0) + length), "copyBytesFrom").slice()),
  };

  function searchable(value, encoding) {
    if (typeof value === "number") return Uint8Array.of(value & 255);
    return typeof value === "string" ? Buffer.from(value, encoding) : value;
  }

  const methods = {
    toString(encoding, from = 0, to = this.length) {
      from = Math.max(0, Math.trunc(from) || 0);
      to = Math.min(this.length, to);
      return to <= from ? "" : host.decode(bytesOf(this, "Buffer").subarray(from, to), encodingOf(encoding));
    },
    toLocaleString(...args) { return this.toString(...args); },
    toJSON() { return { type: "Buffer", data: Array.from(this) }; },
    equals(other) { return Buffer.compare(this, other) === 0; },
    compare(other, from = 0, to = other.length, thisFrom = 0, thisTo = this.length) {
      return Buffer.compare(this.subarray(thisFrom, thisTo), other.subarray(from, to));
    },
    subarray(from, to) {
      const part = Uint8Array.prototype.subarray.call(bytesOf(this, "Buffer"), from, to);
      return asBuffer(part);
    },
    slice(from, to) { return this.subarray(from, to); },
    copy(target, at = 0, from = 0, to = this.length) {
      const part = bytesOf(this, "Buffer").subarray(from, Math.min(to, from + Math.max(0, target.length - at)));
      target.set(part, at);
      return part.length;
    },
    write(text, at = 0, length = this.length - at, encoding = "utf8") {
      if (typeof at === "string") [encoding, at, length] = [at, 0, this.length];
      else if (typeof length === "string") [encoding, length] = [length, this.length - at];
      let bytes = host.encode(String(text), encodingOf(encoding)).subarray(0, Math.min(length, this.length - at));
      this.set(bytes, at);
      return bytes.length;
    },
    fill(value, from = 0, to = this.length, encoding) {
      if (typeof from === "string") [encoding, from, to] = [from, 0, this.length];
      else if (typeof to === "string") [encoding, to] = [to, this.length];
      if (typeof value === "number" || typeof value === "boolean") return Uint8Array.prototype.fill.call(this, Number(value), from, to);
      const bytes = searchable(value, encoding);
      if (bytes.length === 0) return Uint8Array.prototype.fill.call(this, 0, from, to);
      for (let i = from; i < to; i++) this[i] = bytes[(i - from) % bytes.length];
      return this;
    },
    indexOf(value, at = 0, encoding) {
      if (typeof at === "string") [encoding, at] = [at, 0];
      const bytes = searchable(value, encoding);
      if (at < 0) at = Math.max(0, this.length + at);
      for (let i = at; i <= this.length - bytes.length; i++) {
        let k = 0;
        while (k < bytes.length && this[i + k] === bytes[k]) k++;
        if (k === bytes.length) return i;
      }
      return -1;
    },
    lastIndexOf(value, at = this.length, encoding) {
      const bytes = searchable(value, encoding);
      for (let i = Math.min(at, this.length - bytes.length); i >= 0; i--) {
        let k = 0;
        while (k < bytes.length && this[i + k] === bytes[k]) k++;
        if (k === bytes.length) return i;
      }
      return -1;
    },
    includes(value, at, encoding) { return this.indexOf(value, at, encoding) >= 0; },
    swap16() { return swap(this, 2); },
    swap32() { return swap(this, 4); },
    swap64() { return swap(this, 8); },
  };

  function swap(b, size) {
    if (b.length % size !== 0) throw coded(RangeError, "ERR_INVALID_BUFFER_SIZE", "Buffer size must be a multiple of " + size * 8 + "-bits");
    for (let i = 0; i < b.length; i += size) bytesOf(b, "Buffer").subarray(i, i + size).reverse();
    return b;
  }

  // numbers are Node's names of what a DataView reads and writes.
  const numbers = { Int8: 1, UInt8: 1, Int16: 2, UInt16: 2, Int32: 4, UInt32: 4, Float: 4, Double: 8, BigInt64: 8, BigUInt64: 8 };
  for (const [name, size] of Object.entries(numbers)) {
    const its = { Float: "Float32", Double: "Float64" }[name] ?? name.replace("UInt", "Uint");
    for (const end of size === 1 ? [""] : ["LE", "BE"]) {
      const check = (b, at) => {
        if (!Number.isInteger(at) || at < 0 || at + size > b.length) {
          throw coded(RangeError, "ERR_OUT_OF_RANGE", 'The value of "offset" is out of range. It must be >= 0 and <= ' + (b.length - size) + ". Received " + at);
        }
      };
      methods["read" + name + end] = function (at = 0) {
        check(this, at);
        return view(this)["get" + its](at, end === "LE");
      };
      methods["write" + name + end] = function (value, at = 0) {
        check(this, at);
        view(this)["set" + its](at, value, end === "LE");
        return at + size;
      };
    }
  }
  for (const end of ["LE", "BE"]) {
    const order = (b, at, n) => (end === "LE" ? b.slice(at, at + n) : Uint8Array.prototype.slice.call(b, at, at + n).reverse());
    methods["readUInt" + end] = function (at, n) {
      return order(bytesOf(this, "Buffer"), at, n).reduce((sum, byte, i) => sum + byte * 2 ** (8 * i), 0);
    };
    methods["readInt" + end] = function (at, n) {
      const value = this["readUInt" + end](at, n);
      return value >= 2 ** (8 * n - 1) ? value - 2 ** (8 * n) : value;
    };
    methods["writeUInt" + end] = methods["writeInt" + end] = function (value, at, n) {
      if (value < 0) value += 2 ** (8 * n);
      for (let i = 0; i < n; i++) {
        this[end === "LE" ? at + i : at + n - 1 - i] = value % 256;
        value = Math.floor(value / 256);
      }
      return at + n;
    };
  }
  for (const name of Object.keys(methods)) if (name.includes("UInt")) methods[name.replace("UInt", "Uint")] = methods[name];

  for (const [target, all] of [[Buffer, statics], [Buffer.prototype, methods]]) {
    for (const name of Object.keys(all)) Object.defineProperty(target, name, { value: all[name], writable: true, configurable: true });
  }
  Object.defineProperty(Buffer.prototype, "parent", { get() { return this.buffer; }, configurable: true });
  Object.defineProperty(Buffer.prototype, "offset", { get() { return this.byteOffset; }, configurable: true });

  return { Buffer, maxLength };
})
