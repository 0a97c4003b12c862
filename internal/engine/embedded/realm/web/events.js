// Event, EventTarget, AbortController and AbortSignal.
(function ({ host, tag }) {
  const state = new WeakMap();

  class Event {
    constructor(type, init = {}) {
      if (arguments.length === 0) throw new TypeError("Event needs a type");
      state.set(this, {
        type: String(type), bubbles: !!init?.bubbles, cancelable: !!init?.cancelable, composed: !!init?.composed,
        target: null, phase: 0, stopped: false, prevented: false, passive: false, timeStamp: host.now(),
      });
    }
    get type() { return state.get(this).type; }
    get bubbles() { return state.get(this).bubbles; }
    get cancelable() { return state.get(this).cancelable; }
    get composed() { return state.get(this).composed; }
    get target() { return state.get(this).target; }
    get srcElement() { return state.get(this).target; }
    get currentTarget() { return state.get(this).phase === 0 ? null : state.get(this).target; }
    get eventPhase() { return state.get(this).phase; }
    get timeStamp() { return state.get(this).timeStamp; }
    get defaultPrevented() { return state.get(this).prevented; }
    get returnValue() { return !state.get(this).prevented; }
    get isTrusted() { return false; }
    composedPath() { return this.currentTarget === null ? [] : [this.currentTarget]; }
    stopPropagation() {}
    stopImmediatePropagation() { state.get(this).stopped = true; }
    preventDefault() {
      const s = state.get(this);
      if (s.cancelable && !s.passive) s.prevented = true;
    }
  }

  class CustomEvent extends Event {
    #detail;
    constructor(type, init = {}) {
      super(type, init);
      this.#detail = init?.detail ?? null;
    }
    get detail() { return this.#detail; }
  }

  class EventTarget {
    #listeners = [];

    addEventListener(type, listener, options) {
      if (listener === null || listener === undefined) return;
      const given = typeof options === "object" && options !== null ? options : { capture: options };
      const entry = { type: String(type), listener, capture: !!given.capture, once: !!given.once, passive: !!given.passive, gone: false };
      if (given.signal?.aborted || this.#find(entry) !== undefined) return;
      this.#listeners.push(entry);
      given.signal?.addEventListener("abort", () => this.#remove(entry), { once: true });
    }
    removeEventListener(type, listener, options) {
      const capture = !!(typeof options === "object" && options !== null ? options.capture : options);
      const found = this.#find({ type: String(type), listener, capture });
      if (found !== undefined) this.#remove(found);
    }
    dispatchEvent(event) {
      const s = state.get(event);
      if (s === undefined) throw new TypeError("dispatchEvent needs an Event");
      if (s.phase !== 0) throw new DOMException("the event is being dispatched already", "InvalidStateError");
      s.target = this;
      s.phase = 2;
      for (const entry of this.#listeners.filter((l) => l.type === s.type)) {
        if (entry.gone) continue;
        if (entry.once) this.#remove(entry);
        s.passive = entry.passive;
        try {
          if (typeof entry.listener === "function") entry.listener.call(this, event);
          else entry.listener.handleEvent(event);
        } catch (e) {
          host.uncaught(e);
        }
        if (s.stopped) break;
      }
      s.phase = 0;
      s.stopped = false;
      return !s.prevented;
    }
    #find(wanted) {
      return this.#listeners.find((l) => l.type === wanted.type && l.listener === wanted.listener && l.capture === wanted.capture);
    }
    #remove(entry) {
      entry.gone = true;
      this.#listeners = this.#listeners.filter((l) => l !== entry);
    }
  }

  const key = {};

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason;
    #onabort = null;
    #dependents = [];

    constructor(given) {
      if (given !== key) throw new TypeError("AbortSignal cannot be made by hand; use AbortController");
      super();
    }
    static abort(reason) {
      const signal = new AbortSignal(key);
      abort(signal, reason);
      return signal;
    }
    static timeout(delay) {
      const signal = new AbortSignal(key);
      setTimeout(() => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")), delay);
      return signal;
    }
    static any(signals) {
      const all = [...signals];
      const made = new AbortSignal(key);
      const over = all.find((s) => s.aborted);
      if (over !== undefined) abort(made, over.reason);
      else for (const s of all) s.#dependents.push(made);
      return made;
    }
    static abortBy(given, signal, reason) {
      if (given !== key || signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
      const dependents = signal.#dependents;
      signal.#dependents = [];
      signal.dispatchEvent(new Event("abort"));
      for (const d of dependents) abort(d, signal.#reason);
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    get onabort() { return this.#onabort; }
    set onabort(fn) {
      if (this.#onabort !== null) this.removeEventListener("abort", this.#onabort);
      this.#onabort = typeof fn === "function" ? fn : null;
      this.addEventListener("abort", this.#onabort);
    }
    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }
  }

  const { abortBy } = AbortSignal;
  delete AbortSignal.abortBy;
  const abort = (signal, reason) => abortBy(key, signal, reason);

  class AbortController {
    #signal = new AbortSignal(key);
    get signal() { return this.#signal; }
    abort(reason) { abort(this.#signal, reason); }
  }

  for (const made of [Event, CustomEvent, EventTarget, AbortSignal, AbortController]) tag(made, made.name);
  return { Event, CustomEvent, EventTarget, AbortSignal, AbortController };
})
