import type { Handler, RunOptions } from "./types";
export interface ProviderRef {
    type: string;
    alias: string;
}
export interface TriggerRegistration {
    provider: ProviderRef;
    triggerType: string;
    /** Part of the trigger's identity; sent with its keys in this order. */
    input: Record<string, unknown>;
    /** No part of the identity. */
    options: RunOptions & {
        timezone?: string;
        respond?: "handler";
    };
    handler: Handler<any>;
}
export interface Host {
    /** A secret names the fields that it must have. */
    provider(ref: ProviderRef & {
        secret?: string[];
    }): void;
    trigger(registration: TriggerRegistration): void;
    /** The fields of a secret; undefined outside of handlers. */
    secret(type: string, alias: string): Record<string, unknown> | undefined;
    /** Asks the server; both are JSON texts. */
    ask(name: string, question: string): Promise<string>;
    /** Fires triggers; in tests alone. */
    invoke?(provider: ProviderRef, triggerType: string, event?: Record<string, any>): Promise<{
        success: boolean;
        error?: Error;
    }>;
}
declare global {
    var __floww: Host | undefined;
}
/** Returns the host; throws where there is none, such as under plain Node. */
export declare function host(): Host;
/** Asks the server, and throws what failed makes of its refusal. */
export declare function ask(name: string, question: object, failed: (status: number, detail: string) => Error): Promise<any>;
