// node:events.
(function ({ need }) {
  const { EventTarget, Event } = need("events");

  function EventEmitter(options) { EventEmitter.init.call(this, options); }
  EventEmitter.init = function () {
    if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
      this._events = Object.create(null);
      this._eventsCount = 0;
    }
    this._maxListeners ??= undefined;
  };

  function check(listener) {
    if (typeof listener !== "function") {
      throw Object.assign(new TypeError('The "listener" argument must be of type function. Received ' + typeof listener), { code: "ERR_INVALID_ARG_TYPE" });
    }
  }

  function add(emitter, type, listener, first) {
    check(listener);
    const events = (emitter._events ??= Object.create(null));
    if (events.newListener !== undefined) emitter.emit("newListener", type, listener.listener ?? listener);
    const list = emitter._events[type];
    if (list === undefined) emitter._eventsCount = (emitter._eventsCount ?? 0) + 1;
    emitter._events[type] = list === undefined ? [listener] : first ? [listener, ...list] : [...list, listener];
    return emitter;
  }

  function onceOf(emitter, type, listener) {
    check(listener);
    const wrapped = (...args) => {
      emitter.removeListener(type, wrapped);
      return listener.apply(emitter, args);
    };
    wrapped.listener = listener;
    return wrapped;
  }

  const methods = {
    _events: undefined, _eventsCount: 0, _maxListeners: undefined,
    setMaxListeners(n) { this._maxListeners = n; return this; },
    getMaxListeners() { return this._maxListeners ?? EventEmitter.defaultMaxListeners; },
    emit(type, ...args) {
      const list = this._events?.[type];
      if (list === undefined) {
        if (type !== "error") return false;
        if (args[0] instanceof Error) throw args[0];
        throw Object.assign(new Error("Unhandled error. (" + String(args[0]) + ")"), { code: "ERR_UNHANDLED_ERROR", context: args[0] });
      }
      for (const listener of list) listener.apply(this, args);
      return true;
    },
    on(type, listener) { return add(this, type, listener, false); },
    addListener(type, listener) { return add(this, type, listener, false); },
    prependListener(type, listener) { return add(this, type, listener, true); },
    once(type, listener) { return this.on(type, onceOf(this, type, listener)); },
    prependOnceListener(type, listener) { return this.prependListener(type, onceOf(this, type, listener)); },
    removeListener(type, listener) {
      check(listener);
      const list = this._events?.[type];
      const at = list === undefined ? -1 : list.findLastIndex((l) => l === listener || l.listener === listener);
      if (at < 0) return this;
      if (list.length === 1) {
        delete this._events[type];
        this._eventsCount--;
      } else this._events[type] = list.toSpliced(at, 1);
      if (this._events.removeListener !== undefined) this.emit("removeListener", type, list[at].listener ?? list[at]);
      return this;
    },
    off(type, listener) { return this.removeListener(type, listener); },
    removeAllListeners(type) {
      if (type === undefined) {
        this._events = Object.create(null);
        this._eventsCount = 0;
      } else if (this._events?.[type] !== undefined) {
        delete this._events[type];
        this._eventsCount--;
      }
      return this;
    },
    listeners(type) { return (this._events?.[type] ?? []).map((l) => l.listener ?? l); },
    rawListeners(type) { return [...(this._events?.[type] ?? [])]; },
    listenerCount(type) { return this._events?.[type]?.length ?? 0; },
    eventNames() { return Reflect.ownKeys(this._events ?? {}); },
  };
  for (const name of Object.keys(methods)) {
    Object.defineProperty(EventEmitter.prototype, name, { value: methods[name], writable: true, configurable: true, enumerable: true });
  }

  function once(emitter, type, { signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (typeof emitter.addEventListener === "function") return emitter.addEventListener(type, (...args) => resolve(args), { once: true });
      const settle = (...args) => {
        emitter.removeListener("error", fail);
        resolve(args);
      };
      const fail = (error) => {
        emitter.removeListener(type, settle);
        reject(error);
      };
      emitter.once(type, settle);
      if (type !== "error") emitter.once("error", fail);
      signal?.addEventListener("abort", () => fail(signal.reason), { once: true });
    });
  }

  return Object.assign(EventEmitter, {
    EventEmitter, defaultMaxListeners: 10, once, EventTarget, Event, captureRejectionSymbol: Symbol.for("nodejs.rejection"), errorMonitor: Symbol("events.errorMonitor"),
    listenerCount: (emitter, type) => emitter.listenerCount(type), setMaxListeners() {}, getEventListeners: (emitter, type) => emitter.listeners(type),
  });
})
