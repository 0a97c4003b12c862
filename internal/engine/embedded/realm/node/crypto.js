// node:crypto, as far as it is cheap.
(function ({ host, need, bytesOf }) {
  const { Buffer } = need("buffer");
  const { crypto } = need("crypto");

  const toBytes = (data, encoding) => (typeof data === "string" ? Buffer.from(data, encoding) : bytesOf(data, "crypto"));
  const toBuffer = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const known = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

  function hashName(given) {
    const name = String(given).toLowerCase().replace(/^rsa-/, "").replace("sha-", "sha");
    if (!known.includes(name)) throw Object.assign(new Error("Digest method not supported: " + given), { code: "ERR_CRYPTO_INVALID_DIGEST" });
    return name;
  }

  // Sum is a Hash or an Hmac: it keeps what it is given and sums it up at the end.
  class Sum {
    #parts = [];
    #finish;
    #done = false;
    constructor(finish) { this.#finish = finish; }
    update(data, encoding) {
      if (this.#done) throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
      if (typeof data !== "string" && !ArrayBuffer.isView(data)) {
        throw Object.assign(new TypeError('The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.'), { code: "ERR_INVALID_ARG_TYPE" });
      }
      this.#parts.push(typeof data === "string" ? Buffer.from(data, encoding) : Buffer.from(toBytes(data).slice().buffer));
      return this;
    }
    digest(encoding) {
      if (this.#done) throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
      this.#done = true;
      const sum = toBuffer(this.#finish(bytesOf(Buffer.concat(this.#parts), "digest")));
      return encoding === undefined || encoding === "buffer" ? sum : sum.toString(encoding);
    }
    copy() {
      const made = new Sum(this.#finish);
      made.#parts = [...this.#parts];
      return made;
    }
  }

  function createHash(algorithm) {
    const name = hashName(algorithm);
    return new Sum((bytes) => host.digest(name, bytes));
  }

  function createHmac(algorithm, key) {
    const name = hashName(algorithm);
    const raw = key?.raw ?? toBytes(key).slice();
    return new Sum((bytes) => host.hmac(name, raw, bytes));
  }

  function later(work, callback) {
    let result;
    try {
      result = work();
    } catch (e) {
      return void queueMicrotask(() => callback(e));
    }
    queueMicrotask(() => callback(null, result));
  }

  function randomBytes(size, callback) {
    if (!Number.isInteger(size) || size < 0) throw Object.assign(new RangeError('The value of "size" is out of range.'), { code: "ERR_OUT_OF_RANGE" });
    const work = () => toBuffer(host.random(size));
    return callback === undefined ? work() : later(work, callback);
  }

  function randomInt(min, max, callback) {
    if (max === undefined || typeof max === "function") [min, max, callback] = [0, min, max];
    const range = max - min;
    if (!(range > 0 && range < 2 ** 48)) throw Object.assign(new RangeError("The range of randomInt must be from 1 to 2 ** 48"), { code: "ERR_OUT_OF_RANGE" });
    const work = () => {
      const most = 2 ** 48 - (2 ** 48 % range);
      for (;;) {
        const x = toBuffer(host.random(6)).readUIntBE(0, 6);
        if (x < most) return min + (x % range);
      }
    };
    return callback === undefined ? work() : later(work, callback);
  }

  function timingSafeEqual(a, b) {
    if (a.byteLength !== b.byteLength) {
      throw Object.assign(new RangeError("Input buffers must have the same byte length"), { code: "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH" });
    }
    return host.equal(bytesOf(a, "timingSafeEqual"), bytesOf(b, "timingSafeEqual"));
  }

  function pbkdf2Sync(password, salt, iterations, length, digest) {
    return toBuffer(host.pbkdf2(hashName(digest), toBytes(password), toBytes(salt), iterations, length));
  }

  function hkdfSync(digest, secret, salt, info, length) {
    return host.hkdf(hashName(digest), toBytes(secret), toBytes(salt), toBytes(info), length).buffer;
  }

  // Cipher encrypts or decrypts when all is there.
  class Cipher {
    #mode; #seal; #key; #vector; #parts = []; #additional = new Uint8Array(0); #tag;
    constructor(algorithm, key, vector, seal) {
      const mode = /^(?:id-)?aes-?(128|192|256)-(gcm|cbc|ctr)$/i.exec(algorithm);
      if (mode === null) throw Object.assign(new Error("Unknown cipher: " + algorithm), { code: "ERR_CRYPTO_UNKNOWN_CIPHER" });
      this.#mode = "AES-" + mode[2].toUpperCase();
      this.#key = (key?.raw ?? toBytes(key)).slice();
      if (this.#key.length * 8 !== Number(mode[1])) throw Object.assign(new RangeError("Invalid key length"), { code: "ERR_CRYPTO_INVALID_KEYLEN" });
      this.#vector = toBytes(vector).slice();
      this.#seal = seal;
    }
    setAAD(data) { this.#additional = toBytes(data).slice(); return this; }
    setAutoPadding() { return this; }
    setAuthTag(data) { this.#tag = toBytes(data).slice(); return this; }
    getAuthTag() { return toBuffer(this.#tag); }
    update(data, from, to) {
      this.#parts.push(Buffer.from(toBytes(data, from)));
      return to === undefined ? Buffer.alloc(0) : "";
    }
    final(encoding) {
      let data = Buffer.concat(this.#parts);
      const isGCM = this.#mode === "AES-GCM";
      if (isGCM && !this.#seal) data = Buffer.concat([data, toBuffer(this.#tag ?? new Uint8Array(0))]);
      let out = toBuffer(host.aes(this.#mode, this.#seal, this.#key, this.#vector, bytesOf(data, "final"), this.#additional, this.#tag?.length ?? 16));
      if (isGCM && this.#seal) {
        this.#tag = out.subarray(out.length - 16);
        out = out.subarray(0, out.length - 16);
      }
      return encoding === undefined ? out : out.toString(encoding);
    }
  }

  return {
    createHash, createHmac, Hash: Sum, Hmac: Sum, getHashes: () => [...known], randomBytes, pseudoRandomBytes: randomBytes, randomInt,
    randomUUID: () => host.uuid(), timingSafeEqual, pbkdf2Sync, hkdfSync,
    hash: (algorithm, data, encoding = "hex") => createHash(algorithm).update(data).digest(encoding),
    pbkdf2: (p, s, i, l, d, callback) => later(() => pbkdf2Sync(p, s, i, l, d), callback),
    hkdf: (d, k, s, i, l, callback) => later(() => hkdfSync(d, k, s, i, l), callback),
    randomFillSync(array, from = 0, size = array.byteLength - from) {
      bytesOf(array, "randomFillSync").set(host.random(size), from);
      return array;
    },
    createCipheriv: (algorithm, key, vector) => new Cipher(algorithm, key, vector, true),
    createDecipheriv: (algorithm, key, vector) => new Cipher(algorithm, key, vector, false),
    createSecretKey: (key, encoding) => ({ type: "secret", raw: toBytes(key, encoding).slice(), get symmetricKeySize() { return this.raw.length; } }),
    getRandomValues: (array) => crypto.getRandomValues(array),
    webcrypto: crypto, subtle: crypto.subtle, constants: {},
  };
})
