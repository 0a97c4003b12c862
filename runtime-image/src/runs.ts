// Runs: each in a thread of its own, with its own globals, registries and
// console. The thread ends with the run.

import type { ServerResponse } from "node:http";
import path from "node:path";
import { Worker } from "node:worker_threads";
import type { Line } from "./console";
import type { Program } from "./programs";
import { describe } from "./thrown";

export interface Job {
  type: "get_definitions" | "invoke_trigger";
  program: Program;
  executionId?: string;
  limits?: Limits;
}

export interface Limits {
  /** Bytes that the code may allocate. */
  memory: number;
  logLines: number;
  logLineBytes: number;
  resultBytes: number;
}

export interface Failed {
  reason: string;
  message: string;
  stack: string;
  durationMs: number;
}

export interface Defined {
  triggers: { provider: { type: string; alias: string }; type: string; input: string; options: object }[];
  providers: { type: string; alias: string; secret?: string[] }[];
}

export type Outcome = { done: { result?: string; durationMs: number } } | { failed: Failed } | { defined: Defined };

const megabyte = 1 << 20;
const defaultMemory = Number(process.env.FLOWWD_RUN_MEMORY ?? 128 * megabyte);

interface Thread {
  worker: Worker;
  memory: number;
}

export class Runs {
  readonly #under = new Map<string, () => Promise<unknown>>();
  #spare: Thread | undefined;
  running = 0;

  /** Starts a thread ahead of the next run. */
  warm(): void {
    this.#spare ??= start(defaultMemory);
  }

  #thread(memory: number): Thread {
    const spare = this.#spare;
    if (spare === undefined || spare.memory !== memory) {
      return start(memory);
    }
    this.#spare = undefined;
    spare.worker.removeAllListeners();
    return spare;
  }

  /** Ends a run, and returns when its thread is gone. */
  async cancel(executionId: string): Promise<void> {
    await this.#under.get(executionId)?.();
  }

  /** Runs a job to its end, or until nobody waits for the answer any more. */
  async run(job: Job, log: (lines: Line[]) => void, response: ServerResponse): Promise<Outcome> {
    const { worker } = this.#thread(job.limits?.memory ?? defaultMemory);
    const end = () => worker.terminate();
    response.on("close", end);
    if (job.executionId !== undefined) {
      this.#under.set(job.executionId, end);
    }
    this.running++;
    try {
      return await outcomeOf(worker, job, log);
    } finally {
      await end();
      this.running--;
      response.off("close", end);
      if (job.executionId !== undefined) {
        this.#under.delete(job.executionId);
      }
      this.warm();
    }
  }
}

function start(memory: number): Thread {
  const worker = new Worker(path.join(import.meta.dirname, "worker.mjs"), {
    resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.ceil(memory / megabyte)) },
    env: environment(),
  });
  worker.on("error", () => {}); // the run that gets it sees that it has ended
  return { worker, memory };
}

/** What the code may see of the environment: not what is ours. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("FLOWWD_")));
}

function outcomeOf(worker: Worker, job: Job, log: (lines: Line[]) => void): Promise<Outcome> {
  const began = performance.now();
  return new Promise((resolve) => {
    const failed = (reason: string, message: string, stack = "") => resolve({ failed: { reason, message, stack, durationMs: performance.now() - began } });
    worker.on("message", (message) => {
      if ("log" in message) {
        log(message.log);
      } else if ("exited" in message) {
        failed("crashed", `the code ended its process with process.exit(${message.exited ?? ""})`);
      } else {
        resolve(message);
      }
    });
    worker.on("error", (error: any) => {
      if (error?.code === "ERR_WORKER_OUT_OF_MEMORY") {
        failed("out of memory", "the code needs more memory than it may have");
      } else {
        const { message, stack } = describe(error, job.program);
        failed("threw", message, stack);
      }
    });
    worker.on("exit", (code) => {
      if (code === 0) {
        failed("never settles", "the handler waits for a promise that nothing can settle any more");
      } else {
        failed("crashed", "the thread that ran the code ended");
      }
    });
    worker.postMessage(job);
  });
}
