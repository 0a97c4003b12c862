// crypto: random bytes, hashes, HMAC, AES and derived keys, by the host.
(function ({ host, bytesOf, tag }) {
  const key = {};
  const integers = /^(Int|Uint|BigInt|BigUint)\d+(Clamped)?Array$/;
  const hashes = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
  const blocks = { "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };

  class CryptoKey {
    #inside;
    constructor(given, inside) {
      if (given !== key) throw new TypeError("a CryptoKey is made by crypto.subtle");
      this.#inside = inside;
    }
    static inside(k) {
      if (!(k instanceof CryptoKey)) throw new TypeError("a CryptoKey is needed; crypto.subtle.importKey makes one");
      return k.#inside;
    }
    get type() { return this.#inside.type; }
    get extractable() { return this.#inside.extractable; }
    get algorithm() { return this.#inside.algorithm; }
    get usages() { return [...this.#inside.usages]; }
  }
  const { inside } = CryptoKey;
  delete CryptoKey.inside;

  const fail = (name, text) => { throw new DOMException(text, name); };

  function algorithmOf(given) {
    const made = typeof given === "string" ? { name: given } : { ...given };
    made.name = String(made.name ?? "");
    const known = [...hashes, "HMAC", "AES-GCM", "AES-CBC", "AES-CTR", "PBKDF2", "HKDF"].find((n) => n.toLowerCase() === made.name.toLowerCase());
    if (known === undefined) fail("NotSupportedError", "the algorithm " + JSON.stringify(made.name) + " is not available");
    made.name = known;
    return made;
  }

  function hashOf(given) {
    const { name } = algorithmOf(given ?? "");
    if (!hashes.includes(name)) fail("NotSupportedError", name + " is no hash");
    return name;
  }

  // use returns the raw key when it may be used so.
  function use(k, usage, name) {
    const { algorithm, usages, raw } = inside(k);
    if (algorithm.name !== name) fail("InvalidAccessError", "the key is one of " + algorithm.name + ", not of " + name);
    if (!usages.includes(usage)) fail("InvalidAccessError", "the key may not be used to " + usage);
    return raw;
  }

  const allowed = {
    HMAC: ["sign", "verify"], "AES-GCM": ["encrypt", "decrypt", "wrapKey", "unwrapKey"], "AES-CBC": ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
    "AES-CTR": ["encrypt", "decrypt", "wrapKey", "unwrapKey"], PBKDF2: ["deriveBits", "deriveKey"], HKDF: ["deriveBits", "deriveKey"],
  };

  function makeKey(raw, given, extractable, usages) {
    const { name, hash, length } = given;
    if (allowed[name] === undefined) fail("NotSupportedError", "there are no keys of " + name);
    usages = [...usages].map(String);
    if (usages.length === 0 || usages.some((u) => !allowed[name].includes(u))) fail("SyntaxError", "a key of " + name + " is used to: " + allowed[name].join(", "));
    const algorithm = { name };
    if (name === "HMAC") Object.assign(algorithm, { hash: { name: hashOf(hash) }, length: length ?? raw.length * 8 });
    if (name.startsWith("AES")) {
      if (![16, 24, 32].includes(raw.length)) fail("DataError", "a key of AES has 128, 192 or 256 bits");
      algorithm.length = raw.length * 8;
    }
    return new CryptoKey(key, { type: "secret", extractable: !!extractable, algorithm, usages, raw });
  }

  const own = (data, what) => bytesOf(data, what).slice();
  const out = (bytes) => bytes.buffer;

  function aes(k, given, usage, data) {
    const algorithm = algorithmOf(given);
    const raw = use(k, usage, algorithm.name);
    const seal = usage === "encrypt";
    const vector = bytesOf(algorithm.iv ?? algorithm.counter, algorithm.name);
    const additional = algorithm.additionalData === undefined ? new Uint8Array(0) : bytesOf(algorithm.additionalData, "additionalData");
    const tagBytes = (algorithm.tagLength ?? 128) / 8;
    try {
      return out(host.aes(algorithm.name, seal, raw, vector, bytesOf(data, usage), additional, tagBytes));
    } catch (e) {
      fail("OperationError", e.message);
    }
  }

  function derive(given, k, length, usage) {
    const algorithm = algorithmOf(given);
    const raw = use(k, usage, algorithm.name);
    if (length === null || length === undefined || length % 8 !== 0) fail("OperationError", "the number of bits must be a multiple of 8");
    const salt = bytesOf(algorithm.salt, "salt");
    const hash = hashOf(algorithm.hash);
    try {
      if (algorithm.name === "PBKDF2") return host.pbkdf2(hash, raw, salt, algorithm.iterations, length / 8);
      return host.hkdf(hash, raw, salt, bytesOf(algorithm.info, "info"), length / 8);
    } catch (e) {
      fail("OperationError", e.message);
    }
  }

  class SubtleCrypto {
    async digest(algorithm, data) { return out(host.digest(hashOf(algorithm), bytesOf(data, "digest"))); }
    async sign(algorithm, k, data) {
      const raw = use(k, "sign", algorithmOf(algorithm).name);
      return out(host.hmac(k.algorithm.hash.name, raw, bytesOf(data, "sign")));
    }
    async verify(algorithm, k, signature, data) {
      const raw = use(k, "verify", algorithmOf(algorithm).name);
      return host.equal(host.hmac(k.algorithm.hash.name, raw, bytesOf(data, "verify")), bytesOf(signature, "verify"));
    }
    async encrypt(algorithm, k, data) { return aes(k, algorithm, "encrypt", data); }
    async decrypt(algorithm, k, data) { return aes(k, algorithm, "decrypt", data); }
    async deriveBits(algorithm, k, length) { return out(derive(algorithm, k, length, "deriveBits")); }
    async deriveKey(algorithm, k, type, extractable, usages) {
      const wanted = algorithmOf(type);
      const length = wanted.length ?? (wanted.name === "HMAC" ? blocks[hashOf(wanted.hash)] * 8 : undefined);
      return makeKey(derive(algorithm, k, length, "deriveKey"), wanted, extractable, usages);
    }
    async generateKey(given, extractable, usages) {
      const algorithm = algorithmOf(given);
      let bits = algorithm.length;
      if (algorithm.name === "HMAC") bits ??= blocks[hashOf(algorithm.hash)] * 8;
      else if (!algorithm.name.startsWith("AES")) fail("NotSupportedError", "keys of " + algorithm.name + " cannot be generated");
      else if (![128, 192, 256].includes(bits)) fail("OperationError", "a key of AES has 128, 192 or 256 bits");
      return makeKey(host.random(Math.ceil(bits / 8)), algorithm, extractable, usages);
    }
    async importKey(format, data, given, extractable, usages) {
      const algorithm = algorithmOf(given);
      if (format === "raw") return makeKey(own(data, "importKey"), algorithm, extractable, usages);
      if (format !== "jwk") fail("NotSupportedError", "keys are imported as raw or jwk, not as " + format);
      if (data?.kty !== "oct" || typeof data.k !== "string") fail("DataError", 'a secret key in JWK has kty "oct" and k');
      return makeKey(host.encode(data.k, 7), algorithm, extractable, usages);
    }
    async exportKey(format, k) {
      const { raw, extractable, algorithm, usages } = inside(k);
      if (!extractable) fail("InvalidAccessError", "the key may not be exported");
      if (format === "raw") return out(raw.slice());
      if (format !== "jwk") fail("NotSupportedError", "keys are exported as raw or jwk, not as " + format);
      const alg = algorithm.name === "HMAC" ? "HS" + algorithm.hash.name.slice(4) : "A" + algorithm.length + algorithm.name.slice(4);
      return { kty: "oct", k: host.decode(raw, 7), alg, key_ops: [...usages], ext: true };
    }
    async wrapKey(format, k, by, algorithm) {
      const exported = await this.exportKey(format, k);
      const data = format === "jwk" ? host.encode(JSON.stringify(exported), 0) : exported;
      const raw = inside(by);
      return aes(new CryptoKey(key, { ...raw, usages: raw.usages.includes("wrapKey") ? ["encrypt"] : [] }), algorithm, "encrypt", data);
    }
    async unwrapKey(format, data, by, algorithm, type, extractable, usages) {
      const raw = inside(by);
      const plain = aes(new CryptoKey(key, { ...raw, usages: raw.usages.includes("unwrapKey") ? ["decrypt"] : [] }), algorithm, "decrypt", data);
      return this.importKey(format, format === "jwk" ? JSON.parse(host.decode(new Uint8Array(plain), 0)) : plain, type, extractable, usages);
    }
  }

  class Crypto {
    #subtle = new SubtleCrypto();
    get subtle() { return this.#subtle; }
    randomUUID() { return host.uuid(); }
    getRandomValues(array) {
      if (!ArrayBuffer.isView(array) || !integers.test(array[Symbol.toStringTag])) throw new TypeError("getRandomValues needs an array of integers");
      if (array.byteLength > 65536) throw new DOMException("getRandomValues gives at most 65536 bytes at once", "QuotaExceededError");
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(host.random(array.byteLength));
      return array;
    }
  }

  for (const made of [Crypto, CryptoKey, SubtleCrypto]) tag(made, made.name);
  return { crypto: new Crypto(), Crypto, CryptoKey, SubtleCrypto };
})
