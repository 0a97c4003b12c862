// The streams of the Web. The classes are web-streams-polyfill's; this adds what
// is made of them.
(function ({ need, tag }) {
  const made = need("generated/streams");
  const { TransformStream } = made;

  class TextEncoderStream {
    #stream = new TransformStream({
      transform(chunk, controller) {
        const bytes = new TextEncoder().encode(String(chunk));
        if (bytes.length > 0) controller.enqueue(bytes);
      },
    });
    get encoding() { return "utf-8"; }
    get readable() { return this.#stream.readable; }
    get writable() { return this.#stream.writable; }
  }

  class TextDecoderStream {
    #decoder;
    #stream;
    constructor(label, options) {
      const decoder = (this.#decoder = new TextDecoder(label, options));
      this.#stream = new TransformStream({
        transform(chunk, controller) {
          const text = decoder.decode(chunk, { stream: true });
          if (text !== "") controller.enqueue(text);
        },
        flush(controller) {
          const text = decoder.decode();
          if (text !== "") controller.enqueue(text);
        },
      });
    }
    get encoding() { return this.#decoder.encoding; }
    get fatal() { return this.#decoder.fatal; }
    get ignoreBOM() { return this.#decoder.ignoreBOM; }
    get readable() { return this.#stream.readable; }
    get writable() { return this.#stream.writable; }
  }

  return { ...made, TextEncoderStream: tag(TextEncoderStream, "TextEncoderStream"), TextDecoderStream: tag(TextDecoderStream, "TextDecoderStream") };
})
