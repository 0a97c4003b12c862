// Headers, Request, Response and fetch. The server makes the requests.
(function ({ host, need, ask, tag }) {
  const { Headers } = need("headers");
  const { Body, empty, extract, readAll, source, give, take, clone } = need("body");

  const normal = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"];

  function methodOf(given) {
    const method = String(given);
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError(JSON.stringify(method) + " is no method of a request");
    const upper = method.toUpperCase();
    if (["CONNECT", "TRACE", "TRACK"].includes(upper)) throw new TypeError("the method " + upper + " is not allowed");
    return normal.includes(upper) ? upper : method;
  }

  class Request extends Body {
    #url;
    #method = "GET";
    #headers;
    #redirect = "follow";
    #signal;
    #rest = {};

    constructor(input, init = {}) {
      super();
      init ??= {};
      const from = input instanceof Request ? input : undefined;
      const url = new URL(from === undefined ? input : from.url);
      if (url.username !== "" || url.password !== "") throw new TypeError("the address of a request must hold no name or password; use the header authorization");
      this.#url = url.href;
      if (from !== undefined) ({ method: this.#method, redirect: this.#redirect } = from);
      if (init.method !== undefined) this.#method = methodOf(init.method);
      if (init.redirect !== undefined) {
        if (!["follow", "manual", "error"].includes(init.redirect)) throw new TypeError('redirect must be "follow", "manual" or "error"');
        this.#redirect = init.redirect;
      }
      this.#headers = new Headers(init.headers ?? from?.headers);
      this.#signal = (init.signal === undefined ? from?.signal : init.signal) ?? new AbortController().signal;
      for (const name of ["cache", "credentials", "integrity", "keepalive", "mode", "referrer", "referrerPolicy"]) this.#rest[name] = init[name] ?? from?.[name];
      this.#giveBody(from, init.body);
    }
    #giveBody(from, body) {
      if (body !== undefined && body !== null) {
        if (this.#method === "GET" || this.#method === "HEAD") throw new TypeError("a request with the method " + this.#method + " has no body");
        give(this, extract(body));
        const { type } = source(this);
        if (type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
      } else if (from !== undefined && body === undefined) {
        const taken = take(from);
        give(this, { ...taken });
      }
    }
    get url() { return this.#url; }
    get method() { return this.#method; }
    get headers() { return this.#headers; }
    get redirect() { return this.#redirect; }
    get signal() { return this.#signal; }
    get duplex() { return "half"; }
    get destination() { return ""; }
    get cache() { return this.#rest.cache ?? "default"; }
    get credentials() { return this.#rest.credentials ?? "same-origin"; }
    get integrity() { return this.#rest.integrity ?? ""; }
    get keepalive() { return !!this.#rest.keepalive; }
    get mode() { return this.#rest.mode ?? "cors"; }
    get referrer() { return this.#rest.referrer ?? "about:client"; }
    get referrerPolicy() { return this.#rest.referrerPolicy ?? ""; }
    clone() {
      const body = clone(this);
      const made = new Request(this.#url, { method: this.#method, headers: this.#headers, redirect: this.#redirect, signal: this.#signal });
      give(made, body);
      return made;
    }
  }

  class Response extends Body {
    #status = 200;
    #statusText = "";
    #headers;
    #url = "";
    #redirected = false;
    #type = "default";

    constructor(body, init = {}) {
      super();
      init ??= {};
      const status = init.status === undefined ? 200 : Number(init.status);
      if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError("the status of a response is a number from 200 to 599");
      this.#status = status;
      this.#statusText = String(init.statusText ?? "");
      this.#headers = new Headers(init.headers);
      if (body === undefined || body === null) return;
      if ([204, 205, 304].includes(status)) throw new TypeError("a response with the status " + status + " has no body");
      give(this, extract(body));
      const { type } = source(this);
      if (type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
    }
    static json(data, init = {}) {
      const text = JSON.stringify(data);
      if (text === undefined) throw new TypeError("the value has no form in JSON");
      const made = new Response(text, init);
      if (!new Headers(init?.headers).has("content-type")) made.headers.set("content-type", "application/json");
      return made;
    }
    static redirect(url, status = 302) {
      if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(status + " is no status of a redirect");
      return new Response(null, { status, headers: { location: new URL(url).href } });
    }
    static error() {
      const made = new Response();
      made.#status = 0;
      made.#type = "error";
      return made;
    }
    static answered(head, body) {
      const made = new Response();
      made.#status = head.status;
      made.#statusText = head.statusText;
      made.#headers = new Headers(head.headers);
      made.#url = head.url;
      made.#redirected = head.redirected;
      made.#type = "basic";
      give(made, body);
      return made;
    }
    get status() { return this.#status; }
    get statusText() { return this.#statusText; }
    get ok() { return this.#status >= 200 && this.#status <= 299; }
    get headers() { return this.#headers; }
    get url() { return this.#url; }
    get redirected() { return this.#redirected; }
    get type() { return this.#type; }
    clone() {
      const body = clone(this);
      const made = new Response();
      made.#status = this.#status;
      made.#statusText = this.#statusText;
      made.#headers = new Headers(this.#headers);
      made.#url = this.#url;
      made.#redirected = this.#redirected;
      made.#type = this.#type;
      give(made, body);
      return made;
    }
  }

  const { answered } = Response;
  delete Response.answered;

  async function fetch(input, init) {
    if (arguments.length === 0) throw new TypeError("fetch needs an address");
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const url = new URL(request.url);
    if (url.protocol === "data:") return fetchData(url);
    if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError("fetch: " + url.protocol + " is not available; only http: and https: are");
    const body = await beforeAbort(readAll(take(request)), signal);
    url.hash = "";
    const head = JSON.stringify({ url: url.href, method: request.method, headers: [...request.headers], redirect: request.redirect });
    return receive(ask("fetch", head, body), signal);
  }

  // receive waits for the head of the answer, and lets the signal end it.
  async function receive(question, signal) {
    let stop;
    const aborted = new Promise((_, reject) => {
      stop = () => {
        question.cancel();
        reject(signal.reason);
      };
    });
    aborted.catch(() => {});
    signal.addEventListener("abort", stop, { once: true });
    const first = await Promise.race([aborted, question.next()]);
    const body = empty();
    const head = JSON.parse(first.head);
    if (!head.hasBody) {
      signal.removeEventListener("abort", stop);
      return answered(head, body);
    }
    body.answer = {
      over: first.last,
      part: first.body,
      async read() {
        let part = this.part;
        this.part = undefined;
        while (part === undefined && !this.over) {
          const reply = await Promise.race([aborted, question.next()]);
          part = reply.body;
          this.over = reply.last;
        }
        if (this.over) signal.removeEventListener("abort", stop);
        return part;
      },
      cancel() {
        signal.removeEventListener("abort", stop);
        question.cancel();
      },
    };
    return answered(head, body);
  }

  function beforeAbort(promise, signal) {
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
    });
  }

  function fetchData(url) {
    const found = /^data:([^,]*?)(;\s*base64)?,(.*)$/is.exec(url.href.replace(/#.*$/, ""));
    if (found === null) throw new TypeError("fetch: the data: address is malformed");
    const text = found[3].replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    const bytes = Uint8Array.from(found[2] === undefined ? text : atob(text), (c) => c.charCodeAt(0));
    return new Response(bytes, { headers: { "content-type": found[1] || "text/plain;charset=US-ASCII" } });
  }

  const base64 = 6; // of texts.go

  // flatten makes data of a response that a handler returned; see
  // engine.ResponseOf. Other results stay as they are.
  function flatten(value) {
    return value instanceof Response ? flattenResponse(value) : value;
  }

  async function flattenResponse(response) {
    if (response.status === 0) throw new TypeError("the handler returned Response.error(), which nobody can be answered with");
    const bytes = await readAll(take(response));
    const flat = { status: response.status, headers: [...response.headers] };
    const text = host.decode(bytes, 0, true);
    if (text === undefined) flat.base64 = host.decode(bytes, base64, false);
    else if (text !== "") flat.body = text;
    return { $response: flat };
  }

  for (const made of [Request, Response]) tag(made, made.name);
  return { Headers, Request, Response, fetch, flatten };
})
