import { invocable, needFunction, type Invocable } from "./builtin";
import { onlyKeys, runOptionKeys, runOptions } from "./check";
import { host, type ProviderRef } from "./host";
import type { FailureEvent, FailureTrigger, Handler } from "./types";

const provider: ProviderRef = { type: "builtin", alias: "default" };
const failureKeys = ["handler", ...runOptionKeys];

/**
 * Runs the handler when runs of this workflow have failed for good: at once, and
 * for what fails within the next minute once more. Failures of the handler
 * itself do not count.
 */
export const onFailure: ((trigger: Handler<FailureEvent> | FailureTrigger) => void) & Invocable<FailureEvent> = Object.assign(
  (given: Handler<FailureEvent> | FailureTrigger) => {
    const trigger = typeof given === "function" ? { handler: given } : given;
    onlyKeys("onFailure", trigger, failureKeys);
    const { handler } = trigger;
    needFunction("onFailure", handler);
    host().provider(provider);
    host().trigger({
      provider,
      triggerType: "onFailure",
      input: {},
      options: runOptions("onFailure", trigger),
      handler: (ctx, event) => handler(ctx, dated(event)),
    });
  },
  invocable(provider, "onFailure"),
);

// dated makes times of what the server has written.
function dated(event: any): FailureEvent {
  const { since, execution } = event;
  const date = (text: any) => (text === null || text === undefined ? null : new Date(text));
  return {
    ...event,
    since: new Date(since),
    execution: execution && { ...execution, receivedAt: date(execution.receivedAt), endedAt: date(execution.endedAt) },
  };
}
