// node:url: the classes of the Web, and the older functions.
(function ({ need }) {
  const { URL, URLSearchParams } = need("url");
  const querystring = need("node:querystring");

  class Url {
    protocol = null; slashes = null; auth = null; host = null; port = null; hostname = null; hash = null; search = null; query = null; pathname = null; path = null; href = "";
    format() { return format(this); }
  }

  function parse(text, parseQuery = false, slashesDenoteHost = false) {
    const out = new Url();
    const match = /^\s*([a-z][a-z0-9+.-]*:)?(\/\/)?(.*?)\s*$/is.exec(String(text));
    let rest = match[3];
    out.protocol = match[1]?.toLowerCase() ?? null;
    if (match[2] !== undefined && (out.protocol !== null || slashesDenoteHost)) {
      out.slashes = true;
      const end = rest.search(/[/?#]/);
      let authority = end < 0 ? rest : rest.slice(0, end);
      rest = end < 0 ? "" : rest.slice(end);
      const at = authority.lastIndexOf("@");
      if (at >= 0) {
        out.auth = decodeURIComponent(authority.slice(0, at));
        authority = authority.slice(at + 1);
      }
      const port = /:(\d*)$/.exec(authority);
      out.port = port?.[1] || null;
      out.hostname = (port === null ? authority : authority.slice(0, port.index)).toLowerCase().replace(/^\[|\]$/g, "");
      out.host = authority.toLowerCase();
    } else if (match[2] !== undefined) {
      rest = match[2] + rest;
    }
    const hash = rest.indexOf("#");
    if (hash >= 0) [out.hash, rest] = [rest.slice(hash), rest.slice(0, hash)];
    const query = rest.indexOf("?");
    if (query >= 0) [out.search, rest] = [rest.slice(query), rest.slice(0, query)];
    out.query = out.search === null ? (parseQuery ? querystring.parse("") : null) : parseQuery ? querystring.parse(out.search.slice(1)) : out.search.slice(1);
    out.pathname = rest || (out.slashes && out.hostname ? "/" : null);
    out.path = out.pathname === null && out.search === null ? null : (out.pathname ?? "") + (out.search ?? "");
    out.href = format(out);
    return out;
  }

  function format(url) {
    if (typeof url === "string") return parse(url).href;
    if (url instanceof URL) return url.href;
    const protocol = url.protocol ? url.protocol.replace(/:?$/, ":") : "";
    const auth = url.auth ? encodeURIComponent(url.auth).replace("%3A", ":") + "@" : "";
    const hostname = url.hostname?.includes(":") ? "[" + url.hostname + "]" : url.hostname ?? "";
    const host = url.host ? auth + url.host : hostname ? auth + hostname + (url.port ? ":" + url.port : "") : "";
    const slashes = url.slashes || /^(https?|ftp|gopher|file):$/.test(protocol) ? "//" : "";
    let pathname = url.pathname ?? "";
    if (host && pathname && !pathname.startsWith("/")) pathname = "/" + pathname;
    const query = typeof url.query === "object" && url.query !== null ? querystring.stringify(url.query) : "";
    let search = url.search ?? (query === "" ? "" : "?" + query);
    if (search && !search.startsWith("?")) search = "?" + search;
    const hash = url.hash ? url.hash.replace(/^#?/, "#") : "";
    return protocol + (host || slashes ? slashes + host : "") + pathname.replace(/[?#]/g, encodeURIComponent) + search.replaceAll("#", "%23") + hash;
  }

  function resolve(from, to) {
    const base = new URL(from, "resolve://");
    const made = new URL(to, base);
    return made.protocol === "resolve:" ? made.pathname + made.search + made.hash : made.href;
  }

  return {
    URL, URLSearchParams, Url, parse, format, resolve,
    fileURLToPath: (url) => decodeURIComponent(new URL(url).pathname),
    pathToFileURL: (path) => new URL("file://" + encodeURI(path)),
    domainToASCII: (domain) => URL.parse("http://" + domain)?.hostname ?? "",
    domainToUnicode: (domain) => domain,
    urlToHttpOptions: (url) => ({
      protocol: url.protocol, hostname: url.hostname, hash: url.hash, search: url.search, pathname: url.pathname, path: url.pathname + url.search, href: url.href,
      ...(url.port === "" ? {} : { port: Number(url.port) }), ...(url.username || url.password ? { auth: decodeURIComponent(url.username) + ":" + decodeURIComponent(url.password) } : {}),
    }),
  };
})
