// What code finds under the names of Node's globals, and of a worker's.
(function ({ host }) {
  const nothing = () => process;
  const process = {
    env: {}, argv: [], execArgv: [], title: "flowwd", pid: 1, platform: "linux", arch: "x64", version: "", versions: {}, browser: true, exitCode: undefined,
    nextTick(fn, ...args) { queueMicrotask(() => fn(...args)); },
    cwd: () => "/",
    uptime: () => host.now() / 1000,
    hrtime: Object.assign((since = [0, 0]) => {
      const now = host.now();
      const seconds = Math.floor(now / 1000) - since[0];
      const nanos = Math.floor((now % 1000) * 1e6) - since[1];
      return nanos < 0 ? [seconds - 1, nanos + 1e9] : [seconds, nanos];
    }, { bigint: () => BigInt(Math.floor(host.now() * 1e6)) }),
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
    emitWarning(warning) { console.warn(typeof warning === "string" ? warning : warning?.message); },
    exit() { throw new Error("process.exit is not available: a run ends when its handler returns"); },
    binding() { throw new Error("process.binding is not available"); },
    umask: () => 0,
    listeners: () => [], listenerCount: () => 0, emit: () => false,
    on: nothing, addListener: nothing, once: nothing, off: nothing, removeListener: nothing, removeAllListeners: nothing, prependListener: nothing,
  };
  Object.defineProperty(process, Symbol.toStringTag, { value: "process" });

  return {
    process, global: globalThis, self: globalThis,
    navigator: Object.freeze({ userAgent: "flowwd", language: "en-US", languages: Object.freeze(["en-US"]), hardwareConcurrency: 1 }),
    setImmediate: (fn, ...args) => setTimeout(fn, 0, ...args),
    clearImmediate: (id) => clearTimeout(id),
  };
})
