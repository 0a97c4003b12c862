import { aliasOf, type ProviderOptions } from "./alias";
import { onlyKeys, optionalText, runOptionKeys, runOptions } from "./check";
import { host, type ProviderRef } from "./host";
import type { CronEvent, CronTrigger, ManualEvent, ManualTrigger, WebhookEvent, WebhookTrigger } from "./types";

export type BuiltinOptions = ProviderOptions;

/** Fires all triggers of this kind, in tests: see `floww/testing`. */
export interface Invocable<Event> {
  invoke(event?: Partial<Event>): Promise<{ success: boolean; error?: Error }>;
}

export interface BuiltinTriggers {
  /** Runs the handler for each request at an address of its own. */
  onWebhook: (<Body = any>(trigger: WebhookTrigger<Body>) => void) & Invocable<WebhookEvent>;
  /** Runs the handler at the times that a cron expression names. */
  onCron: ((trigger: CronTrigger) => void) & Invocable<CronEvent>;
  /** Runs the handler when somebody asks for it. */
  onManual: (<Input = any>(trigger: ManualTrigger<Input>) => void) & Invocable<ManualEvent>;
}

/** The triggers that need no other service. */
export class Builtin {
  readonly triggers: BuiltinTriggers;
  readonly actions = {};

  constructor(options: string | BuiltinOptions = {}) {
    const provider: ProviderRef = { type: "builtin", alias: aliasOf("new Builtin", options) };
    host().provider(provider);
    this.triggers = {
      onWebhook: registering(provider, "onWebhook", onWebhook),
      onCron: registering(provider, "onCron", onCron),
      onManual: registering(provider, "onManual", onManual),
    };
  }
}

// registering is a way to register triggers that can be fired in tests.
function registering<Trigger>(provider: ProviderRef, triggerType: string, register: (provider: ProviderRef, trigger: Trigger) => void) {
  return Object.assign((trigger: Trigger) => register(provider, trigger), invocable(provider, triggerType));
}

/** Fires triggers in tests. */
export function invocable(provider: ProviderRef, triggerType: string): Invocable<any> {
  return {
    async invoke(event?: Record<string, any>) {
      const { invoke } = host();
      if (invoke === undefined) {
        throw new Error(triggerType + ".invoke works only in tests that import \"floww/testing\"");
      }
      return invoke(provider, triggerType, event);
    },
  };
}

const webhookKeys = ["path", "method", "respond", "handler", ...runOptionKeys];

function onWebhook(provider: ProviderRef, trigger: WebhookTrigger): void {
  onlyKeys("onWebhook", trigger, webhookKeys);
  const { path, method = "POST", respond, handler } = trigger;
  needFunction("onWebhook", handler);
  optionalText("onWebhook: path", path);
  optionalText("onWebhook: method", method);
  if (respond !== undefined && respond !== "handler") {
    throw new TypeError('onWebhook: respond must be "handler"');
  }
  const options = runOptions("onWebhook", trigger);
  host().trigger({
    provider,
    triggerType: "onWebhook",
    input: path === undefined ? { method } : { path, method },
    options: respond === undefined ? options : { ...options, respond },
    handler,
  });
}

const cronKeys = ["expression", "timezone", "handler", ...runOptionKeys];

function onCron(provider: ProviderRef, trigger: CronTrigger): void {
  onlyKeys("onCron", trigger, cronKeys);
  const { expression, timezone, handler } = trigger;
  needFunction("onCron", handler);
  optionalText("onCron: expression", expression ?? "");
  optionalText("onCron: timezone", timezone);
  const options = runOptions("onCron", trigger);
  host().trigger({
    provider,
    triggerType: "onCron",
    input: { expression },
    options: timezone === undefined ? options : { ...options, timezone },
    handler: (ctx, event) =>
      handler(ctx, { ...event, scheduledTime: new Date(event.scheduledTime), actualTime: new Date(event.actualTime) }),
  });
}

const manualKeys = ["name", "description", "inputSchema", "input_schema", "handler", ...runOptionKeys];

function onManual(provider: ProviderRef, trigger: ManualTrigger): void {
  onlyKeys("onManual", trigger, manualKeys);
  const { name, description, handler } = trigger;
  needFunction("onManual", handler);
  optionalText("onManual: name", name ?? "");
  if (description !== undefined && typeof description !== "string") {
    throw new TypeError("onManual: description must be a string");
  }
  const schema = trigger.inputSchema ?? trigger.input_schema;
  if (schema !== undefined && (typeof schema !== "object" || schema === null || "~standard" in schema)) {
    throw new TypeError("onManual: inputSchema must be a JSON Schema; z.toJSONSchema(schema) makes one of a schema of zod");
  }
  const input: Record<string, unknown> = { name };
  if (description !== undefined) {
    input.description = description;
  }
  if (schema !== undefined) {
    input.input_schema = schema;
  }
  host().trigger({ provider, triggerType: "onManual", input, options: runOptions("onManual", trigger), handler });
}

/** Throws unless a handler is one. */
export function needFunction(what: string, handler: unknown): void {
  if (typeof handler !== "function") {
    throw new TypeError(`${what}: handler must be a function`);
  }
}
