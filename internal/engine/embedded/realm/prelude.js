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
  const isError = Error.isError;
  const text = String;
  const push = uncurry(Array.prototype.push);
  const splice = uncurry(Array.prototype.splice);
  const shift = uncurry(Array.prototype.shift);
  const slice = uncurry(Array.prototype.slice);
  const join = uncurry(Array.prototype.join);
  const substring = uncurry(String.prototype.substring);
  const includes = uncurry(String.prototype.includes);
  const mapForEach = uncurry(Map.prototype.forEach);
  const mapGet = uncurry(Map.prototype.get);
  const mapSet = uncurry(Map.prototype.set);
  const mapDelete = uncurry(Map.prototype.delete);
  const setForEach = uncurry(Set.prototype.forEach);
  const isMap = kindOf(new Map());
  const isSet = kindOf(new Set());
  const isDate = kindOf(new Date());
  const isRegExp = kindOf(/x/);
  const isBuffer = kindOf(new ArrayBuffer(0));
  const dateTime = uncurry(Date.prototype.getTime);
  const dateISO = uncurry(Date.prototype.toISOString);
  const regExpText = uncurry(RegExp.prototype.toString);
  const typedArray = getPrototypeOf(Uint8Array.prototype);
  const typedName = uncurry(getOwnPropertyDescriptor(typedArray, Symbol.toStringTag).get);
  const typedBuffer = uncurry(getOwnPropertyDescriptor(typedArray, "buffer").get);
  const typedOffset = uncurry(getOwnPropertyDescriptor(typedArray, "byteOffset").get);
  const typedBytes = uncurry(getOwnPropertyDescriptor(typedArray, "byteLength").get);
  const typedLength = uncurry(getOwnPropertyDescriptor(typedArray, "length").get);
  const promiseThen = uncurry(Promise.prototype.then);
  const promiseResolve = Promise.resolve.bind(Promise);
  const hasOwn = Object.hasOwn;
  const Bytes = Uint8Array;
  const Later = Promise;
  const constructors = {
    Map, TypeError,
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

  // --- units ----------------------------------------------------------------

  // A unit is a part of the Web's or Node's interfaces that is evaluated when
  // code first asks for it. Units run with what user code made of the globals
  // by then: it can spoil only its own.
  const units = parse(host.units);
  const loaded = create(null);

  function bytesOf(value, name) {
    if (isView(value)) {
      return typedName(value) === undefined
        ? new Bytes(value.buffer, value.byteOffset, value.byteLength)
        : new Bytes(typedBuffer(value), typedOffset(value), typedBytes(value));
    }
    if (isBuffer(value)) return new Bytes(value);
    throw new constructors.TypeError(name + " needs an ArrayBuffer or a view of one");
  }

  function load(unit) {
    if (loaded[unit] === undefined) loaded[unit] = host.load(unit)(kit);
    return loaded[unit];
  }

  function lazy(name, unit) {
    const set = (value) => define(name, value);
    const get = () => {
      const value = load(unit)[name];
      set(value);
      return value;
    };
    defineProperty(globalThis, name, { get, set, configurable: true, enumerable: false });
  }

  for (const unit in units) {
    for (let i = 0; i < units[unit].length; i++) lazy(units[unit][i], unit);
  }

  const modules = host.modules;

  // --- what the server is asked -----------------------------------------------

  // open holds what becomes of each question, by its number.
  const open = new constructors.Map();

  // ask asks the server for something. Each next() gives the next part of the
  // answer; the last one says so, and cancel() gives up before it.
  function ask(name, head, body) {
    const id = host.ask(name, head, body);
    const state = { waits: true, over: false, settle: undefined, early: undefined };
    mapSet(open, id, (reply) => {
      state.waits = false;
      if (reply.last) {
        state.over = true;
        mapDelete(open, id);
      }
      if (state.settle === undefined) state.early = reply;
      else settle(state, reply);
    });
    return {
      next() {
        return new Later((resolve, reject) => {
          state.settle = { resolve, reject };
          if (state.early !== undefined) {
            const reply = state.early;
            state.early = undefined;
            settle(state, reply);
          } else if (state.over) {
            settle(state, { last: true });
          } else if (!state.waits) {
            state.waits = true;
            host.pull(id);
          }
        });
      },
      cancel() {
        if (state.over) return;
        state.over = true;
        mapDelete(open, id);
        host.cancel(id, state.waits);
      },
    };
  }

  function settle(state, reply) {
    const { resolve, reject } = state.settle;
    state.settle = undefined;
    if (reply.failed) reject(new constructors.TypeError(reply.head));
    else resolve(reply);
  }

  const kit = freeze({ host, need: load, define, method, inspect, describe, bytesOf, ask, tag, kindOf });

  // tag names objects of a class in the way of the Web's.
  function tag(made, name) {
    defineProperty(made.prototype, Symbol.toStringTag, { value: name, configurable: true });
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

  // readFields copies the names of the fields that a secret must have.
  function readFields(fields) {
    need(isArray(fields), "secret must be an array of names");
    const out = [];
    for (let i = 0; i < fields.length; i++) {
      needName(fields[i], "a field of a secret");
      push(out, fields[i]);
    }
    return out;
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
        case "memory":
          need(isInteger(value) && value >= 16 && value <= 2 ** 20, "options.memory must be a whole number of megabytes from 16, not " + inspect(value));
          break;
        case "concurrency":
          need(isInteger(value) && value >= 1 && value <= 2 ** 31 - 1, "options.concurrency must be a whole number from 1, not " + inspect(value));
          break;
        case "onInterrupt":
          need(value === "rerun" || value === "fail", 'options.onInterrupt must be "rerun" or "fail", not ' + inspect(value));
          break;
        case "retry":
          need(typeof value === "object" && value !== null && !isArray(value), "options.retry must be an object, not " + inspect(value));
          break;
        case "timezone":
          need(typeof value === "string", "options.timezone must be a text, not " + inspect(value));
          break;
        case "respond":
          need(value === "handler", 'options.respond must be "handler", not ' + inspect(value));
          break;
        default:
          need(false, "options." + text(keys[i]) + " is not known; the options are timeout, memory, concurrency, onInterrupt, retry, timezone, respond");
      }
      out[keys[i]] = value;
    }
    return out;
  }

  const bridge = {
    bridge: 3,
    // secret gives the fields of a secret that the code asked for, undefined for
    // another one and outside of handlers.
    secret(type, alias) {
      const all = host.secrets();
      if (all === "") return undefined;
      const found = parse(all);
      const name = type + ":" + alias;
      return hasOwn(found, name) ? found[name] : undefined;
    },
    // ask asks the server by a name and gives its answer. Both are JSON texts.
    async ask(name, question) {
      return (await ask(text(name), text(question)).next()).head;
    },
    // module gives one of Node's modules, by its full name.
    module(name) {
      need(includes(modules, " " + name + " "), text(name) + " is not available");
      return load(name);
    },
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
      const provider = readProvider(reference, "provider");
      if (reference.secret !== undefined) provider.secret = readFields(reference.secret);
      push(providers, provider);
    },
  };
  freeze(bridge.trigger);
  freeze(bridge.provider);
  freeze(bridge.module);
  freeze(bridge.ask);
  freeze(bridge.secret);
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
      const value = await handler({ executionId, workflowId, attempt }, makeEvent(event, hasBody, body));
      // A response is none before its class was asked for.
      return loaded.fetch === undefined ? value : loaded.fetch.flatten(value);
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
    // reply takes a part of an answer of the server.
    function reply(id, last, failed, head, body) {
      const take = mapGet(open, id);
      if (take !== undefined) take({ last, failed, head, body });
    },
    // warm evaluates a unit ahead of its use.
    function warm(unit) {
      load(unit);
      const names = units[unit] ?? [];
      for (let i = 0; i < names.length; i++) define(names[i], loaded[unit][names[i]]);
    },
    // form gives the members of a multipart form: texts and files, a list of a
    // name that stands more than once.
    function form(bytes, type) {
      const out = {};
      load("blob").decodeForm(bytes, type).forEach((value, name) => {
        const known = getOwnPropertyDescriptor(out, name);
        if (known !== undefined && isArray(known.value)) push(known.value, value);
        else defineProperty(out, name, { value: known === undefined ? value : [known.value, value], writable: true, configurable: true, enumerable: true });
      });
      return out;
    },
  ];
})
