import type { Outcome } from "./runs";

interface Reported {
  backendUrl?: string;
  authToken?: string;
  executionId?: string;
}

/** Tells the server how a run ended, before its request is answered. */
export async function report(event: Reported, outcome: Outcome, logs: object[], took: number): Promise<void> {
  const { backendUrl, authToken, executionId } = event;
  if (!backendUrl || !authToken || !executionId) {
    return;
  }
  const error = "failed" in outcome ? { message: outcome.failed.message, stack: outcome.failed.stack } : undefined;
  try {
    await fetch(`${backendUrl}/api/executions/${executionId}/complete`, {
      method: "POST",
      headers: { authorization: `Bearer ${authToken}`, "content-type": "application/json" },
      body: JSON.stringify({ error, logs, duration_ms: Math.round(took) }),
    });
  } catch (failure) {
    console.error("the end of a run could not be reported:", failure);
  }
}
