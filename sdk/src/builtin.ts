import { onlyKeys, optionalText, runOptionKeys, runOptions } from "./check";
import { host, type ProviderRef } from "./host";
import type { WebhookTrigger } from "./types";

/** Settings of `new Builtin(…)`. */
export interface BuiltinOptions {
  /** The alias; "default" unless set. */
  credential?: string;
}

export interface BuiltinTriggers {
  /** Runs the handler for each request at an address of its own. */
  onWebhook<Body = any>(trigger: WebhookTrigger<Body>): void;
}

/** The triggers that need no other service. */
export class Builtin {
  readonly triggers: BuiltinTriggers;

  constructor(options: string | BuiltinOptions = {}) {
    const provider: ProviderRef = { type: "builtin", alias: aliasOf(options) };
    host().provider(provider);
    this.triggers = {
      onWebhook: (trigger) => onWebhook(provider, trigger),
    };
  }
}

function aliasOf(options: string | BuiltinOptions): string {
  if (typeof options !== "string") {
    onlyKeys("new Builtin", options, ["credential"]);
  }
  const alias = typeof options === "string" ? options : options.credential;
  optionalText("new Builtin: the alias", alias);
  return alias ?? "default";
}

const webhookKeys = ["path", "method", "handler", ...runOptionKeys];

function onWebhook(provider: ProviderRef, trigger: WebhookTrigger): void {
  onlyKeys("onWebhook", trigger, webhookKeys);
  const { path, method = "POST", handler } = trigger;
  if (typeof handler !== "function") {
    throw new TypeError("onWebhook: handler must be a function");
  }
  optionalText("onWebhook: path", path);
  optionalText("onWebhook: method", method);
  host().trigger({
    provider,
    triggerType: "onWebhook",
    input: path === undefined ? { method } : { path, method },
    options: runOptions("onWebhook", trigger),
    handler,
  });
}
