// URL and URLSearchParams. The host parses addresses.
(function ({ host, tag }) {
  // names are in the order in which the host gives the parts.
  const names = ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

  function unescape(text) {
    const plain = text.replaceAll("+", " ");
    if (!plain.includes("%")) return plain;
    try {
      return decodeURIComponent(plain);
    } catch {
      return host.unescape(plain);
    }
  }

  function escape(text) {
    return encodeURIComponent(text.toWellFormed())
      .replace(/[!'()~]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase())
      .replaceAll("%20", "+");
  }

  class URLSearchParams {
    #list = [];
    #changed = () => {};

    constructor(init = "") {
      if (typeof init === "object" && init !== null || typeof init === "function") {
        if (init[Symbol.iterator] !== undefined && init[Symbol.iterator] !== null) {
          for (const pair of init) {
            const [name, value, ...rest] = [...pair];
            if (value === undefined || rest.length > 0) throw new TypeError("URLSearchParams needs pairs of a name and a value");
            this.#list.push([String(name).toWellFormed(), String(value).toWellFormed()]);
          }
        } else {
          for (const name of Reflect.ownKeys(init)) {
            if (typeof name === "string" && Object.prototype.propertyIsEnumerable.call(init, name)) {
              this.#list.push([name.toWellFormed(), String(init[name]).toWellFormed()]);
            }
          }
        }
      } else {
        this.#parse(String(init).replace(/^\?/, ""));
      }
    }
    static link(params, text, changed) {
      params.#list = [];
      params.#parse(text);
      params.#changed = changed;
    }
    #parse(text) {
      for (const pair of text.toWellFormed().split("&")) {
        if (pair === "") continue;
        const at = pair.indexOf("=");
        this.#list.push(at < 0 ? [unescape(pair), ""] : [unescape(pair.slice(0, at)), unescape(pair.slice(at + 1))]);
      }
    }
    get size() { return this.#list.length; }
    append(name, value) {
      this.#list.push([String(name).toWellFormed(), String(value).toWellFormed()]);
      this.#changed(this);
    }
    delete(name, value) {
      this.#list = this.#list.filter(([n, v]) => n !== String(name) || value !== undefined && v !== String(value));
      this.#changed(this);
    }
    get(name) { return this.#list.find(([n]) => n === String(name))?.[1] ?? null; }
    getAll(name) { return this.#list.filter(([n]) => n === String(name)).map(([, v]) => v); }
    has(name, value) { return this.#list.some(([n, v]) => n === String(name) && (value === undefined || v === String(value))); }
    set(name, value) {
      const at = this.#list.findIndex(([n]) => n === String(name));
      if (at < 0) return this.append(name, value);
      this.#list[at][1] = String(value).toWellFormed();
      this.#list = this.#list.filter(([n], i) => i <= at || n !== String(name));
      this.#changed(this);
    }
    sort() {
      this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed(this);
    }
    forEach(fn, that) {
      for (const [name, value] of this) fn.call(that, value, name, this);
    }
    *entries() { for (let i = 0; i < this.#list.length; i++) yield [this.#list[i][0], this.#list[i][1]]; }
    *keys() { for (let i = 0; i < this.#list.length; i++) yield this.#list[i][0]; }
    *values() { for (let i = 0; i < this.#list.length; i++) yield this.#list[i][1]; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return this.#list.map(([n, v]) => escape(n) + "=" + escape(v)).join("&"); }
  }

  const { link } = URLSearchParams;
  delete URLSearchParams.link;

  class URL {
    #parts;
    #params;

    constructor(url, base) {
      const parsed = host.url(String(url).toWellFormed(), base === undefined ? undefined : String(base).toWellFormed());
      if (parsed === undefined) {
        const error = new TypeError("Invalid URL");
        error.code = "ERR_INVALID_URL";
        error.input = String(url);
        throw error;
      }
      this.#parts = parsed.split("\n");
    }
    static canParse(url, base) {
      return host.url(String(url), base === undefined ? undefined : String(base)) !== undefined;
    }
    static parse(url, base) {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }
    static part(url, i) { return url.#parts[i]; }
    static setPart(url, i, value) {
      const parsed = i === 0 ? host.url(String(value)) : host.urlSet(url.#parts[0], names[i], String(value).toWellFormed());
      if (parsed === undefined) {
        if (i === 0) throw new TypeError("Invalid URL");
        return;
      }
      url.#parts = parsed.split("\n");
      if (url.#params !== undefined) url.#link();
    }
    #link() {
      link(this.#params, this.#parts[8].slice(1), (params) => {
        this.#parts = host.urlSet(this.#parts[0], "search", params.toString()).split("\n");
      });
    }
    get origin() {
      const [, protocol, , , at] = this.#parts;
      if (["http:", "https:", "ws:", "wss:", "ftp:"].includes(protocol)) return protocol + "//" + at;
      if (protocol !== "blob:") return "null";
      const inner = URL.parse(this.pathname);
      return inner !== null && /^https?:$/.test(inner.protocol) ? inner.origin : "null";
    }
    get searchParams() {
      if (this.#params === undefined) {
        this.#params = new URLSearchParams();
        this.#link();
      }
      return this.#params;
    }
    toString() { return this.#parts[0]; }
    toJSON() { return this.#parts[0]; }
  }

  const { part, setPart } = URL;
  delete URL.part;
  delete URL.setPart;
  names.forEach((name, i) => {
    Object.defineProperty(URL.prototype, name, {
      get() { return part(this, i); },
      set(value) { setPart(this, i, value); },
      enumerable: true, configurable: true,
    });
  });

  return { URL: tag(URL, "URL"), URLSearchParams: tag(URLSearchParams, "URLSearchParams") };
})
