// The prelude makes the globals that user code sees. It runs once per process,
// before any user code; every realm starts as a copy of the memory it leaves.
//
// It is called with the host's functions and returns the functions that the
// host calls. User code may change any global or prototype later, so that
// everything used after the start is captured here.
(function (host) {
  "use strict";

  const uncurry = ((call) => (fn) => call.bind(fn))(Function.prototype.call);
  const { apply, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const { defineProperty, freeze, create } = Object;
  const { isArray, from: arrayFrom } = Array;
  const { isView } = ArrayBuffer;
  const { stringify, parse } = JSON;
  const { floor, min, max } = Math;
  const { isFinite, isInteger } = Number;
  const { fromCharCode } = String;
  const isError = Error.isError;
  const text = String;
  const push = uncurry(Array.prototype.push);
  const splice = uncurry(Array.prototype.splice);
  const shift = uncurry(Array.prototype.shift);
  const slice = uncurry(Array.prototype.slice);
  const join = uncurry(Array.prototype.join);
  const substring = uncurry(String.prototype.substring);
  const charCodeAt = uncurry(String.prototype.charCodeAt);
  const replaceAll = uncurry(String.prototype.replaceAll);
  const toLowerCase = uncurry(String.prototype.toLowerCase);
  const trim = uncurry(String.prototype.trim);
  const includes = uncurry(String.prototype.includes);
  const mapForEach = uncurry(Map.prototype.forEach);
  const mapGet = uncurry(Map.prototype.get);
  const mapHas = uncurry(Map.prototype.has);
  const mapSet = uncurry(Map.prototype.set);
  const mapDelete = uncurry(Map.prototype.delete);
  const setForEach = uncurry(Set.prototype.forEach);
  const setAdd = uncurry(Set.prototype.add);
  const setHas = uncurry(Set.prototype.has);
  const setDelete = uncurry(Set.prototype.delete);
  const isMap = kindOf(new Map());
  const isSet = kindOf(new Set());
  const isDate = kindOf(new Date());
  const isRegExp = kindOf(/x/);
  const isBuffer = kindOf(new ArrayBuffer(0));
  const dateTime = uncurry(Date.prototype.getTime);
  const dateISO = uncurry(Date.prototype.toISOString);
  const regExpText = uncurry(RegExp.prototype.toString);
  const bufferSlice = uncurry(ArrayBuffer.prototype.slice);
  const typedArray = getPrototypeOf(Uint8Array.prototype);
  const typedName = uncurry(getOwnPropertyDescriptor(typedArray, Symbol.toStringTag).get);
  const typedBuffer = uncurry(getOwnPropertyDescriptor(typedArray, "buffer").get);
  const typedOffset = uncurry(getOwnPropertyDescriptor(typedArray, "byteOffset").get);
  const typedBytes = uncurry(getOwnPropertyDescriptor(typedArray, "byteLength").get);
  const typedLength = uncurry(getOwnPropertyDescriptor(typedArray, "length").get);
  const toBase64 = uncurry(Uint8Array.prototype.toBase64);
  const fromBase64 = Uint8Array.fromBase64;
  const promiseThen = uncurry(Promise.prototype.then);
  const promiseResolve = Promise.resolve.bind(Promise);
  const hasOwn = Object.hasOwn;
  const Bytes = Uint8Array;
  const constructors = {
    Map, Set, Date, RegExp, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
    ArrayBuffer, DataView, Boolean, Number, String,
    Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    Float32Array, Float64Array, BigInt64Array, BigUint64Array,
  };

  // kindOf makes a test for objects of the same kind as the example, whatever
  // their prototypes say.
  function kindOf(example) {
    const { kind } = host;
    const wanted = kind(example);
    return (value) => kind(value) === wanted;
  }

  function define(name, value) {
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }

  function method(target, name, fn) {
    defineProperty(target, name, { value: fn, writable: true, configurable: true, enumerable: true });
  }

  // --- text of values -------------------------------------------------------

  const maxText = 128 * 1024;
  const maxItems = 1000;
  const maxDepth = 16;

  // inspect writes a value like JSON, with words for what JSON has no text for.
  // It calls no user code but the traps of proxies.
  function inspect(value) {
    const out = { parts: [], length: 0, open: [] };
    write(out, value, 0);
    return join(out.parts, "");
  }

  function emit(out, part) {
    push(out.parts, part);
    out.length += part.length;
  }

  function write(out, value, depth) {
    if (out.length > maxText) return;
    switch (typeof value) {
      case "string":
        return emit(out, stringify(value.length > maxText ? substring(value, 0, maxText) : value));
      case "bigint":
        return emit(out, text(value) + "n");
      case "symbol":
        return emit(out, text(value));
      case "function":
        return emit(out, functionName(value));
      case "object":
        return value === null ? emit(out, "null") : writeObject(out, value, depth);
      default:
        return emit(out, text(value));
    }
  }

  function functionName(fn) {
    const d = getOwnPropertyDescriptor(fn, "name");
    const name = d !== undefined && typeof d.value === "string" && d.value !== "" ? " " + d.value : "";
    return "[Function" + name + "]";
  }

  function writeObject(out, value, depth) {
    for (let i = 0; i < out.open.length; i++) {
      if (out.open[i] === value) return emit(out, "[Circular]");
    }
    if (depth >= maxDepth) return emit(out, isArray(value) ? "[Array]" : "[Object]");
    push(out.open, value);
    try {
      if (isError(value)) emit(out, errorText(value));
      else if (isArray(value)) writeArray(out, value, value.length, depth);
      else if (isDate(value)) emit(out, dateTime(value) === dateTime(value) ? dateISO(value) : "Invalid Date");
      else if (isRegExp(value)) emit(out, regExpText(value));
      else if (isMap(value)) writeMap(out, value, depth);
      else if (isSet(value)) writeSet(out, value, depth);
      else if (isView(value) && typedName(value) !== undefined) writeTyped(out, value, depth);
      else if (isBuffer(value)) writeTyped(out, new Bytes(value), depth);
      else writePlain(out, value, depth);
    } finally {
      out.open.length--;
    }
  }

  function writeArray(out, value, length, depth) {
    emit(out, "[");
    for (let i = 0; i < length && out.length <= maxText; i++) {
      if (i > 0) emit(out, ",");
      if (i >= maxItems) {
        emit(out, "… " + (length - i) + " more");
        break;
      }
      const d = getOwnPropertyDescriptor(value, i);
      if (d === undefined) emit(out, "undefined");
      else writeProperty(out, d, depth);
    }
    emit(out, "]");
  }

  function writeTyped(out, value, depth) {
    emit(out, typedName(value) + "(" + typedLength(value) + ") ");
    writeArray(out, value, typedLength(value), depth);
  }

  function writeMap(out, value, depth) {
    let n = 0;
    emit(out, "Map {");
    mapForEach(value, (v, k) => {
      if (n >= maxItems || out.length > maxText) return;
      if (n++ > 0) emit(out, ",");
      write(out, k, depth + 1);
      emit(out, " => ");
      write(out, v, depth + 1);
    });
    emit(out, "}");
  }

  function writeSet(out, value, depth) {
    let n = 0;
    emit(out, "Set {");
    setForEach(value, (v) => {
      if (n >= maxItems || out.length > maxText) return;
      if (n++ > 0) emit(out, ",");
      write(out, v, depth + 1);
    });
    emit(out, "}");
  }

  function writePlain(out, value, depth) {
    const keys = ownKeys(value);
    let n = 0;
    emit(out, "{");
    for (let i = 0; i < keys.length && out.length <= maxText; i++) {
      const d = getOwnPropertyDescriptor(value, keys[i]);
      if (d === undefined || !d.enumerable) continue;
      if (n > 0) emit(out, ",");
      if (n++ >= maxItems) {
        emit(out, "… " + (keys.length - i) + " more");
        break;
      }
      emit(out, typeof keys[i] === "symbol" ? "[" + text(keys[i]) + "]" : stringify(keys[i]));
      emit(out, ":");
      writeProperty(out, d, depth);
    }
    emit(out, "}");
  }

  function writeProperty(out, descriptor, depth) {
    if (hasOwn(descriptor, "value")) write(out, descriptor.value, depth + 1);
    else emit(out, descriptor.get ? "[Getter]" : "[Setter]");
  }

  // errorText is the error's name and message, its stack below, and its causes.
  function errorText(error) {
    const text = describe(error);
    return text[1] === "" ? text[0] : text[0] + "\n" + text[1];
  }

  function headline(error) {
    let name = "Error";
    let message = "";
    try {
      if (typeof error.name === "string" && error.name !== "") name = error.name;
    } catch {}
    try {
      if (typeof error.message === "string") message = error.message;
    } catch {}
    return message === "" ? name : name + ": " + message;
  }

  // describe gives what was thrown as a message and a stack, for the author.
  function describe(thrown) {
    try {
      if (typeof thrown === "string") return [thrown === "" ? "an empty string was thrown" : thrown, ""];
      if (!isError(thrown)) return [inspect(thrown) + " was thrown, which is no Error", ""];
      let stack = stackOf(thrown);
      let at = thrown;
      for (let n = 0; n < 5; n++) {
        const d = getOwnPropertyDescriptor(at, "cause");
        if (d === undefined || d.value === undefined) break;
        at = d.value;
        if (!isError(at)) {
          stack += "\nCaused by: " + inspect(at);
          break;
        }
        stack += "\nCaused by: " + headline(at) + "\n" + stackOf(at);
      }
      return [headline(thrown), stack];
    } catch {
      return ["something was thrown that cannot be shown", ""];
    }
  }

  function stackOf(error) {
    try {
      return typeof error.stack === "string" ? host.stack(error.stack) : "";
    } catch {
      return "";
    }
  }

  // --- console --------------------------------------------------------------

  function line(args) {
    if (args.length === 1 && typeof args[0] === "string") return args[0];
    let out = "";
    for (let i = 0; i < args.length && out.length <= maxText; i++) {
      if (i > 0) out += " ";
      if (typeof args[i] === "string") out += args[i];
      else {
        try {
          out += inspect(args[i]);
        } catch {
          out += "[a value that cannot be shown]";
        }
      }
    }
    return out;
  }

  const console = {};
  const levels = { debug: 0, info: 1, warn: 2, error: 3, log: 4, trace: 4 };
  for (const name in levels) {
    const level = levels[name];
    method(console, name, {
      [name](...args) {
        host.log(level, line(args));
      },
    }[name]);
  }
  define("console", console);

  // --- timers ---------------------------------------------------------------

  // queue holds the pending timers, the next one first.
  const queue = [];
  let lastTimer = 0;

  function delayOf(delay) {
    const ms = +delay;
    return ms >= 1 ? min(ms, 2 ** 31 - 1) : 0;
  }

  function enqueue(timer) {
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = floor((low + high) / 2);
      if (queue[middle].due <= timer.due) low = middle + 1;
      else high = middle;
    }
    splice(queue, low, 0, timer);
  }

  function startTimer(name, fn, delay, every, args) {
    if (typeof fn !== "function") throw new constructors.TypeError(name + " needs a function");
    const timer = { id: ++lastTimer, fn, args, every, due: host.now() + delay };
    enqueue(timer);
    return timer.id;
  }

  function stopTimer(id) {
    for (let i = 0; i < queue.length; i++) {
      if (queue[i].id === id) {
        splice(queue, i, 1);
        return;
      }
    }
    if (running !== undefined && running.id === id) running = undefined;
  }

  let running;

  define("setTimeout", function setTimeout(fn, delay, ...args) {
    return startTimer("setTimeout", fn, delayOf(delay), -1, args);
  });
  define("setInterval", function setInterval(fn, delay, ...args) {
    const every = max(1, delayOf(delay));
    return startTimer("setInterval", fn, every, every, args);
  });
  define("clearTimeout", function clearTimeout(id) {
    stopTimer(id);
  });
  define("clearInterval", function clearInterval(id) {
    stopTimer(id);
  });
  const job = promiseResolve(undefined);
  define("queueMicrotask", function queueMicrotask(fn) {
    if (typeof fn !== "function") throw new constructors.TypeError("queueMicrotask needs a function");
    promiseThen(job, () => {
      try {
        fn();
      } catch (e) {
        host.uncaught(e);
      }
    });
  });
  define("performance", freeze({ now: () => host.now(), timeOrigin: 0 }));

  // --- text and bytes -------------------------------------------------------

  function bytesOf(value, name) {
    if (value === undefined) return new Bytes(0);
    if (isView(value)) {
      return typedName(value) === undefined
        ? new Bytes(value.buffer, value.byteOffset, value.byteLength)
        : new Bytes(typedBuffer(value), typedOffset(value), typedBytes(value));
    }
    if (isBuffer(value)) return new Bytes(value);
    throw new constructors.TypeError(name + " needs an ArrayBuffer or a view of one");
  }

  define("TextEncoder", class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(input = "") {
      return new Bytes(host.encode(text(input)));
    }
    encodeInto(source, target) {
      const bytes = new Bytes(host.encode(text(source)));
      let written = min(bytes.length, target.length);
      while (written > 0 && written < bytes.length && (bytes[written] & 0xc0) === 0x80) written--;
      let read = 0;
      for (let i = 0; i < written; i++) {
        target[i] = bytes[i];
        if ((bytes[i] & 0xc0) !== 0x80) read += bytes[i] >= 0xf0 ? 2 : 1;
      }
      return { read, written };
    }
  });

  define("TextDecoder", class TextDecoder {
    #fatal;
    #keepMark;
    #rest = new Bytes(0);
    #begun = false;
    constructor(label = "utf-8", options = {}) {
      const name = toLowerCase(trim(text(label)));
      if (name !== "utf-8" && name !== "utf8" && name !== "unicode-1-1-utf-8") {
        throw new constructors.RangeError("TextDecoder knows utf-8 only, not " + text(label));
      }
      this.#fatal = !!options?.fatal;
      this.#keepMark = !!options?.ignoreBOM;
    }
    get encoding() {
      return "utf-8";
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#keepMark;
    }
    decode(input, options = {}) {
      const stream = !!options?.stream;
      let bytes = bytesOf(input, "TextDecoder.decode");
      if (this.#rest.length > 0) {
        const all = new Bytes(this.#rest.length + bytes.length);
        for (let i = 0; i < this.#rest.length; i++) all[i] = this.#rest[i];
        for (let i = 0; i < bytes.length; i++) all[this.#rest.length + i] = bytes[i];
        bytes = all;
      }
      let end = bytes.length;
      if (stream) end -= unfinished(bytes);
      this.#rest = new Bytes(bufferSlice(typedBuffer(bytes), typedOffset(bytes) + end, typedOffset(bytes) + bytes.length));
      let out = host.decode(typedBuffer(bytes), typedOffset(bytes), end, this.#fatal);
      if (out === undefined) {
        this.#rest = new Bytes(0);
        throw new constructors.TypeError("the bytes are not valid utf-8");
      }
      if (!this.#begun && end > 0) {
        if (!this.#keepMark && charCodeAt(out, 0) === 0xfeff) out = substring(out, 1);
        this.#begun = true;
      }
      if (!stream) this.#begun = false;
      return out;
    }
  });

  // unfinished is how many bytes at the end begin a character that more bytes
  // may complete.
  function unfinished(bytes) {
    for (let n = 1; n <= min(3, bytes.length); n++) {
      const b = bytes[bytes.length - n];
      if ((b & 0xc0) === 0x80) continue;
      const need = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
      return need > n ? n : 0;
    }
    return 0;
  }

  define("btoa", function btoa(input) {
    const s = text(input);
    const bytes = new Bytes(s.length);
    for (let i = 0; i < s.length; i++) {
      const c = charCodeAt(s, i);
      if (c > 255) throw new constructors.TypeError("btoa needs characters up to U+00FF; character " + i + " is above");
      bytes[i] = c;
    }
    return toBase64(bytes);
  });

  define("atob", function atob(input) {
    let bytes;
    try {
      bytes = apply(fromBase64, Bytes, [text(input)]);
    } catch {
      throw new constructors.TypeError("the input of atob is not valid base64");
    }
    const parts = [];
    for (let i = 0; i < bytes.length; i += 4096) {
      const end = min(bytes.length, i + 4096);
      const codes = [];
      for (let k = i; k < end; k++) push(codes, bytes[k]);
      push(parts, apply(fromCharCode, undefined, codes));
    }
    return join(parts, "");
  });

  define("structuredClone", function structuredClone(value) {
    return clone(value, new constructors.Map());
  });

  function clone(value, seen) {
    if (typeof value === "function" || typeof value === "symbol") {
      throw new constructors.TypeError("structuredClone cannot copy " + inspect(value));
    }
    if (typeof value !== "object" || value === null) return value;
    if (mapHas(seen, value)) return mapGet(seen, value);
    const keep = (made) => {
      mapSet(seen, value, made);
      return made;
    };
    if (isDate(value)) return keep(new constructors.Date(dateTime(value)));
    if (isRegExp(value)) return keep(new constructors.RegExp(value.source, value.flags));
    if (isMap(value)) {
      const made = keep(new constructors.Map());
      mapForEach(value, (v, k) => mapSet(made, clone(k, seen), clone(v, seen)));
      return made;
    }
    if (isSet(value)) {
      const made = keep(new constructors.Set());
      setForEach(value, (v) => setAdd(made, clone(v, seen)));
      return made;
    }
    if (isBuffer(value)) return keep(bufferSlice(value, 0));
    if (isView(value)) {
      const name = typedName(value);
      const buffer = clone(name === undefined ? value.buffer : typedBuffer(value), seen);
      if (name === undefined) return keep(new constructors.DataView(buffer, value.byteOffset, value.byteLength));
      return keep(new constructors[name](buffer, typedOffset(value), typedLength(value)));
    }
    if (isError(value)) {
      const make = hasOwn(constructors, value.name) ? constructors[value.name] : constructors.Error;
      const made = keep(new make(value.message));
      defineProperty(made, "stack", { value: value.stack, writable: true, configurable: true });
      if (hasOwn(value, "cause")) defineProperty(made, "cause", { value: clone(value.cause, seen), writable: true, configurable: true });
      return made;
    }
    const made = keep(isArray(value) ? [] : {});
    if (isArray(value)) made.length = value.length;
    const keys = ownKeys(value);
    for (let i = 0; i < keys.length; i++) {
      const d = getOwnPropertyDescriptor(value, keys[i]);
      if (typeof keys[i] === "symbol" || d === undefined || !d.enumerable) continue;
      defineProperty(made, keys[i], { value: clone(value[keys[i]], seen), writable: true, configurable: true, enumerable: true });
    }
    return made;
  }

  // --- the bridge -----------------------------------------------------------

  const triggers = [];
  const providers = [];
  // keys tells what each trigger is, one line each. JSON text has no line ends.
  let keys = "";

  function need(condition, message) {
    if (!condition) throw new constructors.TypeError(message);
  }

  function readProvider(value, where) {
    need(typeof value === "object" && value !== null, where + " must be an object with type and alias");
    const { type, alias } = value;
    needName(type, where + ".type");
    needName(alias, where + ".alias");
    return { type, alias };
  }

  // needName refuses what cannot be a part of a key.
  function needName(value, where) {
    need(typeof value === "string" && value !== "", where + " must be a text that is not empty");
    need(!includes(value, "\0") && !includes(value, "\n"), where + " must not contain control characters");
  }

  function readOptions(options) {
    if (options === undefined || options === null) return {};
    need(typeof options === "object" && !isArray(options), "options must be an object");
    const out = {};
    const keys = ownKeys(options);
    for (let i = 0; i < keys.length; i++) {
      const value = options[keys[i]];
      if (value === undefined) continue;
      switch (keys[i]) {
        case "timeout":
          need(typeof value === "number" && isFinite(value) && value > 0, "options.timeout must be a number of seconds above 0, not " + inspect(value));
          break;
        case "concurrency":
          need(isInteger(value) && value >= 1 && value <= 2 ** 31 - 1, "options.concurrency must be a whole number from 1, not " + inspect(value));
          break;
        case "onInterrupt":
          need(value === "rerun" || value === "fail", 'options.onInterrupt must be "rerun" or "fail", not ' + inspect(value));
          break;
        default:
          need(false, "options." + text(keys[i]) + " is not known; the options are timeout, concurrency, onInterrupt");
      }
      out[keys[i]] = value;
    }
    return out;
  }

  const bridge = {
    bridge: 1,
    trigger(declaration) {
      need(typeof declaration === "object" && declaration !== null, "a trigger needs a declaration");
      const provider = readProvider(declaration.provider, "provider");
      const { triggerType, input, options, handler } = declaration;
      needName(triggerType, "triggerType");
      need(typeof handler === "function", triggerType + " needs a handler, which is a function");
      const json = input === undefined ? "{}" : stringify(input);
      need(typeof json === "string", "input must be data that JSON can hold");
      keys += provider.type + "\0" + provider.alias + "\0" + triggerType + "\0" + json + "\n";
      push(triggers, { provider, triggerType, json, options: readOptions(options), handler });
    },
    provider(reference) {
      push(providers, readProvider(reference, "provider"));
    },
  };
  freeze(bridge.trigger);
  freeze(bridge.provider);
  defineProperty(globalThis, "__floww", { value: freeze(bridge) });

  function makeEvent(event, hasBody, body) {
    if (!hasBody) return event;
    event.body = body;
    defineProperty(event, "rawBody", {
      configurable: true,
      enumerable: false,
      get() {
        const value = new Bytes(host.body());
        defineProperty(event, "rawBody", { value, writable: true, configurable: true, enumerable: false });
        return value;
      },
    });
    return event;
  }

  // --- what the host calls --------------------------------------------------

  return [
    // declared lists what was registered, as JSON.
    function declared() {
      const out = { triggers: [], providers: [] };
      for (let i = 0; i < triggers.length; i++) {
        const t = triggers[i];
        push(out.triggers, { provider: t.provider, type: t.triggerType, input: t.json, options: t.options });
      }
      for (let i = 0; i < providers.length; i++) push(out.providers, providers[i]);
      return stringify(out);
    },
    // identify gives the keys of the triggers.
    function identify() {
      return keys;
    },
    // start calls the i-th handler.
    async function start(i, executionId, workflowId, attempt, event, hasBody, body) {
      const { handler } = triggers[i];
      return await handler({ executionId, workflowId, attempt }, makeEvent(event, hasBody, body));
    },
    // encode gives the JSON text of a result.
    function encode(value) {
      return stringify(value);
    },
    // wait is the time until the next timer in milliseconds, -1 without one.
    function wait() {
      return queue.length === 0 ? -1 : max(0, queue[0].due - host.now());
    },
    // fire runs the next timer.
    function fire() {
      const timer = shift(queue);
      running = timer;
      apply(timer.fn, undefined, timer.args);
      if (timer.every > 0 && running === timer) {
        timer.due = host.now() + timer.every;
        enqueue(timer);
      }
      running = undefined;
    },
    describe,
  ];
})
