// Blob, File and FormData, and forms as the bodies of requests.
(function ({ host, bytesOf, tag }) {
  const latin1 = 4;

  function concat(list) {
    let size = 0;
    for (const part of list) size += part.length;
    const all = new Uint8Array(size);
    let at = 0;
    for (const part of list) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  class Blob {
    #bytes;
    #type;

    constructor(parts = [], options = {}) {
      const list = [];
      for (const part of parts) {
        if (part instanceof Blob) list.push(part.#bytes);
        else if (ArrayBuffer.isView(part) || part instanceof ArrayBuffer) list.push(bytesOf(part, "Blob"));
        else list.push(host.encode(String(part), 0));
      }
      this.#bytes = concat(list);
      const type = String(options?.type ?? "");
      this.#type = /[^\x20-\x7e]/.test(type) ? "" : type.toLowerCase();
    }
    static bytes(blob) { return blob.#bytes; }
    get size() { return this.#bytes.length; }
    get type() { return this.#type; }
    slice(from = 0, to = this.size, type = "") { return new Blob([this.#bytes.slice(from, to)], { type }); }
    async text() { return host.decode(this.#bytes, 0).replace(/^\ufeff/, ""); }
    async bytes() { return this.#bytes.slice(); }
    async arrayBuffer() { return this.#bytes.slice().buffer; }
    stream() {
      const bytes = this.#bytes.slice();
      return new ReadableStream({
        type: "bytes",
        start(controller) {
          if (bytes.length > 0) controller.enqueue(bytes);
          controller.close();
        },
      });
    }
  }

  const blobBytes = Blob.bytes;
  delete Blob.bytes;

  class File extends Blob {
    #name;
    #lastModified;
    constructor(parts, name, options = {}) {
      super(parts, options);
      this.#name = String(name);
      this.#lastModified = options?.lastModified ?? Date.now();
    }
    get name() { return this.#name; }
    get lastModified() { return this.#lastModified; }
    get webkitRelativePath() { return ""; }
  }

  class FormData {
    #list = [];

    constructor(form) {
      if (form !== undefined) throw new TypeError("FormData takes no argument here");
    }
    #entry(name, value, fileName) {
      if (!(value instanceof Blob)) return [String(name).toWellFormed(), String(value).toWellFormed()];
      const known = value instanceof File && fileName === undefined;
      return [String(name), known ? value : new File([value], fileName ?? value.name ?? "blob", { type: value.type })];
    }
    append(name, value, fileName) { this.#list.push(this.#entry(name, value, fileName)); }
    set(name, value, fileName) {
      const at = this.#list.findIndex(([n]) => n === String(name));
      if (at < 0) return this.append(name, value, fileName);
      this.#list[at] = this.#entry(name, value, fileName);
      this.#list = this.#list.filter(([n], i) => i <= at || n !== String(name));
    }
    delete(name) { this.#list = this.#list.filter(([n]) => n !== String(name)); }
    get(name) { return this.#list.find(([n]) => n === String(name))?.[1] ?? null; }
    getAll(name) { return this.#list.filter(([n]) => n === String(name)).map(([, v]) => v); }
    has(name) { return this.#list.some(([n]) => n === String(name)); }
    forEach(fn, that) { for (const [name, value] of this) fn.call(that, value, name, this); }
    *entries() { for (const [name, value] of this.#list) yield [name, value]; }
    *keys() { for (const [name] of this.#list) yield name; }
    *values() { for (const [, value] of this.#list) yield value; }
    [Symbol.iterator]() { return this.entries(); }
  }

  const quote = (text) => text.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");

  // encodeForm writes a form as multipart/form-data.
  function encodeForm(form) {
    const boundary = "----formdata-" + host.uuid();
    const parts = [];
    const text = (s) => parts.push(host.encode(s, 0));
    for (const [name, value] of form) {
      text("--" + boundary + '\r\nContent-Disposition: form-data; name="' + quote(name) + '"');
      if (typeof value === "string") {
        text("\r\n\r\n" + value.replace(/\r?\n|\r/g, "\r\n") + "\r\n");
      } else {
        text('; filename="' + quote(value.name) + '"\r\nContent-Type: ' + (value.type || "application/octet-stream") + "\r\n\r\n");
        parts.push(blobBytes(value));
        text("\r\n");
      }
    }
    text("--" + boundary + "--\r\n");
    return { bytes: concat(parts), type: "multipart/form-data; boundary=" + boundary };
  }

  // decodeForm reads a form of either content type.
  function decodeForm(bytes, type) {
    const form = new FormData();
    if (/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
      for (const [name, value] of new URLSearchParams(host.decode(bytes, 0))) form.append(name, value);
      return form;
    }
    const boundary = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
    if (boundary === null) throw new TypeError("the body is no form: its content type is " + (type || "not given"));
    const whole = "\r\n" + host.decode(bytes, latin1);
    const parts = whole.split("\r\n--" + (boundary[1] ?? boundary[2]));
    if (parts.length < 2 || !parts.at(-1).startsWith("--")) throw new TypeError("the form in the body does not end");
    for (const part of parts.slice(1, -1)) addPart(form, part);
    return form;
  }

  function addPart(form, part) {
    const border = part.indexOf("\r\n\r\n");
    if (border < 0) throw new TypeError("the form in the body is malformed");
    const head = host.decode(host.encode(part.slice(0, border), latin1), 0);
    const content = host.encode(part.slice(border + 4), latin1);
    const disposition = /^content-disposition:\s*form-data;(.*)$/im.exec(head)?.[1] ?? "";
    const name = /(?:^|[;\s])name="([^"]*)"/i.exec(disposition)?.[1];
    if (name === undefined) throw new TypeError("a part of the form in the body has no name");
    const fileName = /(?:^|[;\s])filename="([^"]*)"/i.exec(disposition)?.[1];
    const unquote = (s) => s.replaceAll("%0A", "\n").replaceAll("%0D", "\r").replaceAll("%22", '"');
    if (fileName === undefined) return form.append(unquote(name), host.decode(content, 0));
    const type = /^content-type:\s*(.*)$/im.exec(head)?.[1].trim() ?? "text/plain";
    form.append(unquote(name), new File([content], unquote(fileName), { type }));
  }

  for (const made of [Blob, File, FormData]) tag(made, made.name);
  return { Blob, File, FormData, blobBytes, encodeForm, decodeForm, concat };
})
