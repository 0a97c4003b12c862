// What requests and responses have in common: a body that is read once.
(function ({ host, need, bytesOf }) {
  const { blobBytes, encodeForm, decodeForm, concat, Blob, FormData } = need("blob");

  // A source is where the bytes of a body come from. There are three: bytes
  // that are here, a stream, and an answer of the server that is not read yet.
  const empty = () => ({ bytes: undefined, stream: undefined, answer: undefined, type: null });

  // extract makes a source of what code gives as a body.
  function extract(init) {
    const source = empty();
    if (init === undefined || init === null) return source;
    if (typeof init === "string") {
      source.bytes = host.encode(init, 0);
      source.type = "text/plain;charset=UTF-8";
    } else if (ArrayBuffer.isView(init) || init instanceof ArrayBuffer) {
      source.bytes = bytesOf(init, "a body").slice();
    } else if (init instanceof Blob) {
      source.bytes = blobBytes(init);
      source.type = init.type || null;
    } else if (init instanceof URLSearchParams) {
      source.bytes = host.encode(init.toString(), 0);
      source.type = "application/x-www-form-urlencoded;charset=UTF-8";
    } else if (init instanceof FormData) {
      ({ bytes: source.bytes, type: source.type } = encodeForm(init));
    } else if (typeof init.getReader === "function") {
      if (init.locked) throw new TypeError("the stream given as a body is locked");
      source.stream = init;
    } else if (typeof init[Symbol.asyncIterator] === "function") {
      source.stream = ReadableStream.from(init);
    } else {
      source.bytes = host.encode(String(init), 0);
      source.type = "text/plain;charset=UTF-8";
    }
    return source;
  }

  const toBytes = (chunk) => {
    if (typeof chunk === "string") return host.encode(chunk, 0);
    return bytesOf(chunk, "a chunk of a body");
  };

  // readAll takes everything that a source has.
  async function readAll(source) {
    if (source.bytes !== undefined) return source.bytes;
    const parts = [];
    if (source.answer !== undefined) {
      for (let part; (part = await source.answer.read()) !== undefined; ) parts.push(part);
    } else if (source.stream !== undefined) {
      const reader = source.stream.getReader();
      for (let part; !(part = await reader.read()).done; ) parts.push(toBytes(part.value));
    }
    return parts.length === 1 ? parts[0] : concat(parts);
  }

  // streamOf makes the stream of a source, which is then the only way to it.
  function streamOf(source) {
    if (source.stream !== undefined) return source.stream;
    const { bytes, answer } = source;
    if (bytes === undefined && answer === undefined) return null;
    source.stream = new ReadableStream({
      type: "bytes",
      async pull(controller) {
        const part = answer === undefined ? undefined : await answer.read();
        if (part !== undefined) return controller.enqueue(part.slice());
        if (bytes !== undefined && bytes.length > 0) controller.enqueue(bytes.slice());
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel(reason) { answer?.cancel(reason); },
    }, { highWaterMark: 0 });
    source.bytes = source.answer = undefined;
    return source.stream;
  }

  class Body {
    #source = empty();
    #used = false;

    static source(body) { return body.#source; }
    static give(body, source) { body.#source = source; }
    static take(body) {
      body.#take();
      return body.#source;
    }
    static clone(body) {
      if (body.bodyUsed || body.#source.stream?.locked) throw new TypeError("a body that was read cannot be cloned");
      const source = body.#source;
      if (source.bytes !== undefined || source.stream === undefined && source.answer === undefined) return { ...source };
      const [mine, theirs] = streamOf(source).tee();
      source.stream = mine;
      return { ...empty(), stream: theirs, type: source.type };
    }
    #take() {
      if (this.bodyUsed) throw new TypeError("the body was read already");
      if (this.#source.stream?.locked) throw new TypeError("the body is locked by a reader");
      const { bytes, stream, answer } = this.#source;
      this.#used = bytes !== undefined || stream !== undefined || answer !== undefined;
    }
    async #all() {
      this.#take();
      return readAll(this.#source);
    }
    get body() { return streamOf(this.#source); }
    get bodyUsed() { return this.#used || !!this.#source.stream?._disturbed; }
    async bytes() { return (await this.#all()).slice(); }
    async arrayBuffer() { return (await this.#all()).slice().buffer; }
    async text() { return host.decode(await this.#all(), 0).replace(/^\ufeff/, ""); }
    async json() { return JSON.parse(await this.text()); }
    async blob() { return new Blob([await this.#all()], { type: this.headers.get("content-type") ?? "" }); }
    async formData() { return decodeForm(await this.#all(), this.headers.get("content-type") ?? ""); }
  }

  const { source, give, take, clone } = Body;
  for (const name of ["source", "give", "take", "clone"]) delete Body[name];
  return { Body, empty, extract, readAll, source, give, take, clone };
})
