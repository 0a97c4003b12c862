// node:path, with slashes.
(function () {
  function normalizeParts(text, absolute) {
    const out = [];
    for (const part of text.split("/")) {
      if (part === "" || part === ".") continue;
      if (part !== "..") out.push(part);
      else if (out.length > 0 && out.at(-1) !== "..") out.pop();
      else if (!absolute) out.push("..");
    }
    return out.join("/");
  }

  const need = (text, name = "path") => {
    if (typeof text !== "string") throw Object.assign(new TypeError('The "' + name + '" argument must be of type string. Received ' + typeof text), { code: "ERR_INVALID_ARG_TYPE" });
    return text;
  };

  const path = {
    sep: "/", delimiter: ":",
    isAbsolute: (text) => need(text).startsWith("/"),
    normalize(text) {
      if (need(text) === "") return ".";
      const absolute = text.startsWith("/");
      let out = normalizeParts(text, absolute);
      if (out === "" && !absolute) out = ".";
      if (out !== "" && text.endsWith("/")) out += "/";
      return absolute ? "/" + out : out;
    },
    join(...parts) {
      const joined = parts.map((p) => need(p)).filter((p) => p !== "").join("/");
      return joined === "" ? "." : path.normalize(joined);
    },
    resolve(...parts) {
      let all = "";
      for (let i = parts.length - 1; i >= 0 && !all.startsWith("/"); i--) if (need(parts[i]) !== "") all = parts[i] + (all === "" ? "" : "/" + all);
      return "/" + normalizeParts(all, true);
    },
    relative(from, to) {
      const a = path.resolve(from).slice(1).split("/").filter(Boolean);
      const b = path.resolve(to).slice(1).split("/").filter(Boolean);
      let n = 0;
      while (n < a.length && n < b.length && a[n] === b[n]) n++;
      return [...a.slice(n).map(() => ".."), ...b.slice(n)].join("/");
    },
    dirname(text) {
      const trimmed = need(text).replace(/\/+$/, "");
      if (trimmed === "") return text.startsWith("/") ? "/" : ".";
      const at = trimmed.lastIndexOf("/");
      return at < 0 ? "." : trimmed.slice(0, at).replace(/\/+$/, "") || "/";
    },
    basename(text, suffix = "") {
      const base = need(text).replace(/\/+$/, "").split("/").at(-1);
      return suffix !== "" && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
    },
    extname(text) {
      const base = path.basename(text);
      const at = base.lastIndexOf(".");
      return at <= 0 || base === ".." ? "" : base.slice(at);
    },
    parse(text) {
      const root = need(text).startsWith("/") ? "/" : "";
      const base = path.basename(text);
      const ext = path.extname(text);
      const dir = path.dirname(text);
      return { root, dir: dir === "." && !text.startsWith(".") ? root : dir, base, ext, name: ext === "" ? base : base.slice(0, -ext.length) };
    },
    format({ root = "", dir = root, name = "", ext = "", base = name + (ext !== "" && !ext.startsWith(".") ? "." : "") + ext }) {
      return dir === "" ? base : dir === root ? dir + base : dir + "/" + base;
    },
    toNamespacedPath: (text) => text,
  };
  path.posix = path;
  path.win32 = path;
  return path;
})
