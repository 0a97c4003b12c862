// node:querystring.
(function ({ host }) {
  const escape = (text) => encodeURIComponent(String(text).toWellFormed());
  function unescape(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return host.unescape(text);
    }
  }
  const primitive = (v) => (typeof v === "string" ? v : (typeof v === "number" && isFinite(v)) || typeof v === "bigint" || typeof v === "boolean" ? String(v) : "");

  function stringify(object, separator = "&", equals = "=", { encodeURIComponent: encode = qs.escape } = {}) {
    if (typeof object !== "object" || object === null) return "";
    const pairs = [];
    for (const name of Object.keys(object)) {
      for (const value of Array.isArray(object[name]) ? object[name] : [object[name]]) pairs.push(encode(name) + equals + encode(primitive(value)));
    }
    return pairs.join(separator);
  }

  function parse(text, separator = "&", equals = "=", { decodeURIComponent: decode = qs.unescape, maxKeys = 1000 } = {}) {
    const out = Object.create(null);
    if (typeof text !== "string" || text === "") return out;
    let pairs = text.split(separator).filter((p) => p !== "");
    if (maxKeys > 0) pairs = pairs.slice(0, maxKeys);
    for (const pair of pairs) {
      const at = pair.indexOf(equals);
      const name = decode((at < 0 ? pair : pair.slice(0, at)).replaceAll("+", " "));
      const value = at < 0 ? "" : decode(pair.slice(at + equals.length).replaceAll("+", " "));
      if (!(name in out)) out[name] = value;
      else if (Array.isArray(out[name])) out[name].push(value);
      else out[name] = [out[name], value];
    }
    return out;
  }

  const qs = { escape, unescape, stringify, encode: stringify, parse, decode: parse };
  return qs;
})
