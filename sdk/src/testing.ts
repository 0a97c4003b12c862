// The module `floww/testing`: workflows run in plain Node, by a host that keeps
// everything in memory. Import it before the workflow.

import type { Host, ProviderRef, TriggerRegistration } from "./host";
import { MemoryKV } from "./testing-kv";

/** How a fired trigger ended. */
export interface InvokeResult {
  success: boolean;
  error?: Error;
}

const triggers: TriggerRegistration[] = [];
const store = new MemoryKV();
let secrets: Record<string, Record<string, unknown>> = {};

/** Gives code a secret, until the next reset. */
export function setSecret(provider: string, fields: Record<string, unknown>, name = "default"): void {
  secrets[provider + ":" + name] = fields;
}

/** Forgets what the key-value store has and which secrets there are. Triggers stay. */
export function resetAll(): void {
  store.clear();
  secrets = {};
}

/** Fires all triggers of a provider and type, one after the other. */
async function invoke(provider: ProviderRef, triggerType: string, partial: Record<string, any> = {}): Promise<InvokeResult> {
  try {
    for (const t of triggers) {
      if (t.provider.type === provider.type && t.provider.alias === provider.alias && t.triggerType === triggerType) {
        await t.handler({ executionId: "test-execution", workflowId: "test-workflow", attempt: 1 }, eventOf(t, partial));
      }
    }
    return { success: true };
  } catch (error) {
    return { success: false, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

function eventOf(trigger: TriggerRegistration, partial: Record<string, any>): any {
  switch (trigger.triggerType) {
    case "onCron": {
      const now = new Date();
      return { scheduledTime: now, actualTime: now, expression: trigger.input.expression, ...partial };
    }
    case "onManual":
      return { manually_triggered: true, triggered_by: "test-user", input_data: {}, ...partial };
    case "onFailure":
      return failureEvent(partial);
    default:
      return webhookEvent(partial);
  }
}

function failureEvent(partial: Record<string, any>): any {
  const now = new Date();
  const execution = {
    id: "test-failed",
    status: "failed",
    error: "Error: test",
    attempts: 1,
    receivedAt: now,
    endedAt: now,
    trigger: { provider: "builtin", alias: "default", type: "onWebhook" },
    url: "http://localhost/api/executions/test-failed",
  };
  return { workflowId: "test-workflow", workflowName: "test", failures: 1, since: now, execution, ...partial };
}

function webhookEvent(partial: Record<string, any>): any {
  const event = { body: {}, headers: {}, query: {}, method: "POST", path: "/webhook", ...partial };
  const text = typeof event.body === "string" ? event.body : JSON.stringify(event.body);
  const queryAll = Object.fromEntries(Object.entries(event.query).map(([name, value]) => [name, [value]]));
  return { queryAll, params: event.query, rawBody: new TextEncoder().encode(text), ...event };
}

const host: Host = {
  provider() {},
  trigger(registration) {
    triggers.push(registration);
  },
  secret(type, alias) {
    return secrets[type + ":" + alias];
  },
  async ask(name, question) {
    const asked = JSON.parse(question);
    return JSON.stringify(name === "kv" ? store.answer(asked) : { ok: "test-token" });
  },
  invoke,
};

if (globalThis.__floww === undefined) {
  globalThis.__floww = host;
}

// Test runners that have it reset between tests by themselves.
const { beforeEach } = globalThis as { beforeEach?: (fn: () => void) => void };
if (typeof beforeEach === "function") {
  beforeEach(() => resetAll());
}
