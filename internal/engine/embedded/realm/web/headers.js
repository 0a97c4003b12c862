// Headers.
(function ({ tag }) {
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

  function nameOf(name) {
    const text = String(name);
    if (!token.test(text)) throw new TypeError("Headers: " + JSON.stringify(text) + " is no name of a header");
    return text.toLowerCase();
  }

  function valueOf(value) {
    const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (/[\0\n\r]|[^\0-\xff]/.test(text)) throw new TypeError("Headers: " + JSON.stringify(text) + " is no value of a header");
    return text;
  }

  class Headers {
    #list = [];

    constructor(init) {
      if (init === undefined || init === null) return;
      if (typeof init !== "object") throw new TypeError("Headers takes an object or a list of pairs");
      if (init[Symbol.iterator] !== undefined) {
        for (const pair of init) {
          const [name, value, ...rest] = [...pair];
          if (value === undefined || rest.length > 0) throw new TypeError("Headers needs pairs of a name and a value");
          this.append(name, value);
        }
      } else {
        for (const name of Object.keys(init)) this.append(name, init[name]);
      }
    }
    append(name, value) { this.#list.push([nameOf(name), valueOf(value)]); }
    set(name, value) {
      const key = nameOf(name);
      const text = valueOf(value);
      const at = this.#list.findIndex(([n]) => n === key);
      if (at < 0) return void this.#list.push([key, text]);
      this.#list[at] = [key, text];
      this.#list = this.#list.filter(([n], i) => i <= at || n !== key);
    }
    delete(name) {
      const key = nameOf(name);
      this.#list = this.#list.filter(([n]) => n !== key);
    }
    get(name) {
      const key = nameOf(name);
      const values = this.#list.filter(([n]) => n === key).map(([, v]) => v);
      return values.length === 0 ? null : values.join(", ");
    }
    has(name) {
      const key = nameOf(name);
      return this.#list.some(([n]) => n === key);
    }
    getSetCookie() { return this.#list.filter(([n]) => n === "set-cookie").map(([, v]) => v); }
    forEach(fn, that) { for (const [name, value] of this) fn.call(that, value, name, this); }
    *entries() {
      const names = [...new Set(this.#list.map(([n]) => n))].sort();
      for (const name of names) {
        if (name === "set-cookie") for (const value of this.getSetCookie()) yield [name, value];
        else yield [name, this.get(name)];
      }
    }
    *keys() { for (const [name] of this) yield name; }
    *values() { for (const [, value] of this) yield value; }
    [Symbol.iterator]() { return this.entries(); }
  }

  return { Headers: tag(Headers, "Headers") };
})
