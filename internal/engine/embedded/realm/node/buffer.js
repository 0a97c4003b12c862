(function ({ need }) {
  const { Buffer, maxLength } = need("buffer");
  const { Blob, File } = need("blob");
  const { atob, btoa } = need("text");
  return {
    Buffer, SlowBuffer: Buffer, Blob, File, atob, btoa, kMaxLength: maxLength, kStringMaxLength: 2 ** 29,
    INSPECT_MAX_BYTES: 50, constants: { MAX_LENGTH: maxLength, MAX_STRING_LENGTH: 2 ** 29 },
    isUtf8(bytes) {
      try {
        new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        return true;
      } catch {
        return false;
      }
    },
    isAscii: (bytes) => Buffer.from(bytes).every((b) => b < 128),
  };
})
