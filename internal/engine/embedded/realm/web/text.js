// TextEncoder, TextDecoder, atob and btoa.
(function ({ host, bytesOf, tag }) {
  // The numbers are those of texts.go.
  const encodings = [
    ["utf-8", ["utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"]],
    ["utf-16le", ["utf-16le", "utf-16", "ucs-2", "unicode", "csunicode", "iso-10646-ucs-2", "unicodefeff"]],
    ["utf-16be", ["utf-16be", "unicodefffe"]],
    ["windows-1252", ["windows-1252", "latin1", "iso-8859-1", "iso8859-1", "iso88591", "iso_8859-1", "ascii", "us-ascii", "cp1252", "x-cp1252",
      "l1", "cp819", "ibm819", "csisolatin1", "iso-ir-100", "ansi_x3.4-1968"]],
  ];
  const windows1252 = 3;

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(input = "") {
      return host.encode(String(input), 0);
    }
    encodeInto(source, target) {
      const bytes = host.encode(String(source), 0);
      let written = Math.min(bytes.length, target.length);
      while (written > 0 && written < bytes.length && (bytes[written] & 0xc0) === 0x80) written--;
      let read = 0;
      for (let i = 0; i < written; i++) {
        if ((bytes[i] & 0xc0) !== 0x80) read += bytes[i] >= 0xf0 ? 2 : 1;
      }
      target.set(bytes.subarray(0, written));
      return { read, written };
    }
  }

  class TextDecoder {
    #encoding;
    #fatal;
    #keepMark;
    #rest = new Uint8Array(0);
    #begun = false;

    constructor(label = "utf-8", options = {}) {
      const name = String(label).trim().toLowerCase();
      this.#encoding = encodings.findIndex((e) => e[1].includes(name));
      if (this.#encoding < 0) throw new RangeError("TextDecoder knows utf-8, utf-16le, utf-16be and latin1, not " + label);
      this.#fatal = !!options?.fatal;
      this.#keepMark = !!options?.ignoreBOM;
    }
    get encoding() {
      return encodings[this.#encoding][0];
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#keepMark;
    }
    decode(input, options = {}) {
      const stream = !!options?.stream;
      let bytes = input === undefined ? new Uint8Array(0) : bytesOf(input, "TextDecoder.decode");
      if (this.#rest.length > 0) {
        const all = new Uint8Array(this.#rest.length + bytes.length);
        all.set(this.#rest);
        all.set(bytes, this.#rest.length);
        bytes = all;
      }
      const end = bytes.length - (stream ? unfinished(bytes, this.#encoding) : 0);
      this.#rest = bytes.slice(end);
      let out = host.decode(bytes.subarray(0, end), this.#encoding, this.#fatal);
      if (out === undefined) {
        this.#rest = new Uint8Array(0);
        throw new TypeError("the bytes are not valid " + this.encoding);
      }
      if (!this.#begun && end > 0) {
        if (!this.#keepMark && this.#encoding !== windows1252 && out.charCodeAt(0) === 0xfeff) out = out.slice(1);
        this.#begun = true;
      }
      if (!stream) this.#begun = false;
      return out;
    }
  }

  // unfinished is how many bytes at the end begin a character that more bytes
  // may complete.
  function unfinished(bytes, encoding) {
    if (encoding === windows1252) return 0;
    if (encoding !== 0) {
      const odd = bytes.length % 2;
      const high = bytes[bytes.length - odd - (encoding === 1 ? 1 : 2)];
      return odd + (high >= 0xd8 && high <= 0xdb ? 2 : 0);
    }
    for (let n = 1; n <= Math.min(3, bytes.length); n++) {
      const b = bytes[bytes.length - n];
      if ((b & 0xc0) === 0x80) continue;
      const need = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
      return need > n ? n : 0;
    }
    return 0;
  }

  function btoa(input) {
    const s = String(input);
    for (let i = 0; i < s.length; i++) {
      if (s.charCodeAt(i) > 255) {
        throw new DOMException("btoa needs characters up to U+00FF; character " + i + " is above", "InvalidCharacterError");
      }
    }
    return host.encode(s, 4).toBase64();
  }

  function atob(input) {
    let bytes;
    try {
      bytes = Uint8Array.fromBase64(String(input));
    } catch {
      throw new DOMException("the input of atob is not valid base64", "InvalidCharacterError");
    }
    return host.decode(bytes, 4);
  }

  return { TextEncoder: tag(TextEncoder, "TextEncoder"), TextDecoder: tag(TextDecoder, "TextDecoder"), atob, btoa };
})
