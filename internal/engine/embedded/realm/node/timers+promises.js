(function () {
  function wait(ms, value, { signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const id = globalThis.setTimeout(() => resolve(value), ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(id);
        reject(signal.reason);
      }, { once: true });
    });
  }
  return { setTimeout: wait, setImmediate: (value, options) => wait(0, value, options), scheduler: { wait: (ms, options) => wait(ms, undefined, options), yield: () => wait(0) } };
})
