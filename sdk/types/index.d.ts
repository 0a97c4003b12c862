export { Builtin } from "./builtin";
export type { BuiltinOptions, BuiltinTriggers, Invocable } from "./builtin";
export { onFailure } from "./failure";
export { KVError, KVStore, KVTable } from "./kv";
export type { KVItem, KVListOptions, KVPermission, KVSetOptions } from "./kv";
export { runToken } from "./run";
export { Secret } from "./secret";
export type { SecretSchema } from "./secret";
export type { Context, CronEvent, CronTrigger, FailedExecution, FailureEvent, FailureTrigger, Handler, ManualEvent, ManualTrigger, OnInterrupt, RetryOptions, RunOptions, WebhookEvent, WebhookMethod, WebhookTrigger, } from "./types";
