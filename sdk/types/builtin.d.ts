import { type ProviderOptions } from "./alias";
import { type ProviderRef } from "./host";
import type { CronEvent, CronTrigger, ManualEvent, ManualTrigger, WebhookEvent, WebhookTrigger } from "./types";
export type BuiltinOptions = ProviderOptions;
/** Fires all triggers of this kind, in tests: see `floww/testing`. */
export interface Invocable<Event> {
    invoke(event?: Partial<Event>): Promise<{
        success: boolean;
        error?: Error;
    }>;
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
export declare class Builtin {
    readonly triggers: BuiltinTriggers;
    readonly actions: {};
    constructor(options?: string | BuiltinOptions);
}
/** Fires triggers in tests. */
export declare function invocable(provider: ProviderRef, triggerType: string): Invocable<any>;
/** Throws unless a handler is one. */
export declare function needFunction(what: string, handler: unknown): void;
