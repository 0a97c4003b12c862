import type { Line } from "./console";
import type { Outcome } from "./runs";

interface Reported {
  backendUrl?: string;
  authToken?: string;
  executionId?: string;
}

/** How often a report is sent that nobody takes, and how long it is waited before the next. */
const tries = 4;
const pause = 250;

/** Tells the server how a run ended, before its request is answered. */
export async function report(event: Reported, outcome: Outcome, lines: Line[], took: number): Promise<void> {
  const { backendUrl, authToken, executionId } = event;
  if (!backendUrl || !authToken || !executionId) {
    return;
  }
  const error = "failed" in outcome ? { message: outcome.failed.message, stack: outcome.failed.stack } : undefined;
  const logs = lines.map(({ time, level, message }) => ({ timestamp: new Date(time).toISOString(), level, message }));
  const body = JSON.stringify({ error, logs, duration_ms: Math.round(took) });
  for (let n = 1; ; n++) {
    const trouble = await send(`${backendUrl}/api/executions/${executionId}/complete`, authToken, body);
    if (trouble === undefined) {
      return;
    }
    if (n === tries) {
      console.error("the end of a run could not be reported:", trouble);
      return;
    }
    await new Promise((done) => setTimeout(done, pause * n));
  }
}

/** Returns why it is worth another try. */
async function send(url: string, token: string, body: string): Promise<unknown> {
  try {
    const answer = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body });
    await answer.arrayBuffer();
    return answer.status >= 500 ? `the server answers with the status ${answer.status}` : undefined;
  } catch (failure) {
    return failure;
  }
}
