// node:string_decoder.
(function ({ need }) {
  const { Buffer } = need("buffer");

  class StringDecoder {
    #rest = Buffer.alloc(0);
    #decoder;
    constructor(encoding = "utf8") {
      if (!Buffer.isEncoding(encoding)) throw Object.assign(new TypeError("Unknown encoding: " + encoding), { code: "ERR_UNKNOWN_ENCODING" });
      this.encoding = encoding.toLowerCase().replace("utf-", "utf").replace(/^ucs-?2$/, "utf16le").replace("binary", "latin1");
      if (this.encoding === "utf8" || this.encoding === "utf16le") this.#decoder = new TextDecoder(this.encoding.replace("utf", "utf-"), { ignoreBOM: true });
    }
    write(chunk) {
      if (typeof chunk === "string") return chunk;
      if (this.#decoder !== undefined) return this.#decoder.decode(chunk, { stream: true });
      const all = Buffer.concat([this.#rest, chunk]);
      const end = this.encoding.startsWith("base64") ? all.length - (all.length % 3) : all.length;
      this.#rest = all.subarray(end);
      return all.toString(this.encoding, 0, end);
    }
    end(chunk) {
      let out = chunk === undefined ? "" : this.write(chunk);
      out += this.#decoder === undefined ? this.#rest.toString(this.encoding) : this.#decoder.decode();
      this.#rest = Buffer.alloc(0);
      return out;
    }
  }
  return { StringDecoder };
})
