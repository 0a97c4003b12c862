import { type Invocable } from "./builtin";
import type { FailureEvent, FailureTrigger, Handler } from "./types";
/**
 * Runs the handler when runs of this workflow have failed for good: at once, and
 * for what fails within the next minute once more. Failures of the handler
 * itself do not count.
 */
export declare const onFailure: ((trigger: Handler<FailureEvent> | FailureTrigger) => void) & Invocable<FailureEvent>;
