// The server inside the image: what flowwd, or any server that speaks the
// runtime contract, asks for a run.

import http from "node:http";
import type { Line } from "./console";
import { Programs, type UserCode } from "./programs";
import { Runs, type Failed, type Job } from "./runs";
import { report } from "./report";

/** The version of the protocol beside the contract's: see docs/runtimes.md. */
const protocol = 1;
/** Bounds the body of a request: a source, its event and what they take as JSON. */
const maxBody = 128 << 20;

const programs = new Programs();
const runs = new Runs();
// Hides the protocol, so that the image is one that knows only the contract.
const plain = process.env.FLOWWD_PLAIN === "1";

interface Execute {
  type: "get_definitions" | "invoke_trigger";
  programHash?: string;
  userCode?: UserCode;
  backendUrl?: string;
  authToken?: string;
  executionId?: string;
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (!response.headersSent) {
      json(response, 500, { statusCode: 500, error: "Internal Server Error", message: String(error?.message ?? error) });
    } else {
      response.destroy();
    }
  });
});

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  switch (`${request.method} ${request.url}`) {
    case "GET /health":
      return json(response, 200, plain ? { status: "ok" } : { status: "ok", flowwd: protocol, running: runs.running });
    case "POST /cancel": {
      const { executionId } = JSON.parse(await bodyOf(request));
      await runs.cancel(executionId);
      return json(response, 200, {});
    }
    case "POST /execute": {
      const event = JSON.parse(await bodyOf(request)) as Execute;
      const streams = !plain && request.headers.accept === "application/x-ndjson";
      return streams ? stream(event, response) : once(event, response);
    }
    default:
      return json(response, 404, { statusCode: 404, error: "Not Found", message: "There is no " + request.url });
  }
}

/** Answers with a line of JSON for each thing that happens. */
async function stream(event: Execute, response: http.ServerResponse): Promise<void> {
  if (event.userCode === undefined && !programs.has(event.programHash)) {
    return json(response, 409, { statusCode: 409, error: "Conflict", message: "The program is not known; send userCode" });
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  const line = (value: object) => response.write(JSON.stringify(value) + "\n");
  const job = await prepare(event);
  const outcome = "failed" in job ? job : await runs.run(job, (lines) => line({ log: lines }), response);
  line(outcome);
  response.end();
}

/** Answers when all is over, as the contract has it. */
async function once(event: Execute, response: http.ServerResponse): Promise<void> {
  const lines: Line[] = [];
  const began = performance.now();
  const job = await prepare(event);
  const outcome = "failed" in job ? job : await runs.run(job, (more) => lines.push(...more), response);
  if (event.type === "invoke_trigger") {
    await report(event, outcome, lines, performance.now() - began);
  }
  if ("failed" in outcome) {
    return json(response, 500, { statusCode: 500, error: "Internal Server Error", message: outcome.failed.message });
  }
  if ("defined" in outcome) {
    const { triggers, providers } = outcome.defined;
    return json(response, 200, {
      statusCode: 200,
      success: true,
      triggers: triggers.map((t) => ({ provider: t.provider, triggerType: t.type, input: JSON.parse(t.input) })),
      providers: providers.map(({ type, alias }) => ({ type, alias })),
    });
  }
  json(response, 200, { statusCode: 200, success: true, triggersProcessed: 1, triggersExecuted: 1 });
}

/** Compiles what is to be run, unless that was done before. */
async function prepare(event: Execute): Promise<Job | { failed: Failed }> {
  try {
    return { ...event, program: await programs.get(event.programHash, event.userCode) } as Job;
  } catch (error: any) {
    return { failed: { reason: "threw", message: error.message, stack: "", durationMs: 0 } };
  }
}

async function bodyOf(request: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > maxBody) {
      throw new Error(`the request has more than ${maxBody} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function json(response: http.ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

// An idle connection of the server is kept for its next run.
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
server.listen(Number(process.env.PORT ?? 8000), process.env.HOST ?? "0.0.0.0");
runs.warm();
process.on("SIGTERM", () => process.exit(0));
