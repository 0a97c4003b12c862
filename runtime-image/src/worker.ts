// The thread of one run. It takes one job, and ends with it.

import { parentPort } from "node:worker_threads";
import { pathToFileURL } from "node:url";
import { openConsole } from "./console";
import { eventOf, type EventParts } from "./event";
import { Registry, type TriggerKey } from "./registry";
import { resultOf } from "./result";
import { describe } from "./thrown";
import type { Job } from "./runs";

const port = parentPort!;

interface Invocation extends Job, EventParts {
  trigger: TriggerKey;
  backendUrl: string;
  authToken: string;
  executionId: string;
  workflowId?: string;
  attempt?: number;
  providerConfigs?: Record<string, Record<string, unknown>>;
}

port.once("message", (job: Invocation) => {
  // What the handler waits for keeps the thread alive; the port must not.
  port.unref();
  void work(job);
});

async function work(job: Invocation): Promise<void> {
  const began = performance.now();
  const took = () => performance.now() - began;
  const exit = process.exit;
  process.exit = ((code?: number) => {
    port.postMessage({ exited: code });
    exit(code);
  }) as typeof process.exit;
  process.setSourceMapsEnabled(true);
  openConsole(job.limits, (lines) => port.postMessage({ log: lines }));
  const invoking = job.type === "invoke_trigger";
  const registry = new Registry(invoking ? (job.providerConfigs ?? {}) : undefined, (name, question) => askServer(job, name, question));
  globalThis.__floww = registry.host();
  try {
    await import(pathToFileURL(job.program.script).href);
    if (!invoking) {
      port.postMessage({ defined: registry.defined() });
      return;
    }
    const handler = registry.find(job.trigger);
    if (handler === undefined) {
      const { provider, triggerType } = job.trigger;
      const message = `the code registers no ${provider.type}.${triggerType} trigger with this input; it registers ${registry.count} triggers`;
      port.postMessage({ failed: { reason: "no handler", message, stack: "", durationMs: took() } });
      return;
    }
    const context = { executionId: job.executionId, workflowId: job.workflowId ?? "", attempt: job.attempt ?? 1 };
    const returned = await handler(context, await eventOf(job));
    port.postMessage(await resultOf(returned, job.limits, took));
  } catch (error) {
    port.postMessage({ failed: { reason: "threw", ...describe(error, job.program), durationMs: took() } });
  }
}

/**
 * Asks the server what the module floww wants to know. fetch may be the code's
 * own by now, and takes long to load.
 */
async function askServer(job: Invocation, name: string, question: string): Promise<string> {
  const { request } = await import("node:http");
  const [status, answer] = await new Promise<[number, string]>((resolve, reject) => {
    const asking = request(`${job.backendUrl}/runtime/executions/${job.executionId}/asks/${name}`, {
      method: "POST",
      headers: { authorization: `Bearer ${job.authToken}`, "content-type": "application/json" },
      agent: false,
    });
    asking.on("error", reject);
    asking.on("response", (response) => {
      const parts: Buffer[] = [];
      response.on("error", reject);
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve([response.statusCode ?? 0, Buffer.concat(parts).toString()]));
    });
    asking.end(question);
  });
  if (status !== 200) {
    throw new Error(`${name} failed: ${detail(answer)}`);
  }
  return answer;
}

function detail(answer: string): string {
  try {
    return JSON.parse(answer).detail;
  } catch {
    return answer.slice(0, 200);
  }
}
