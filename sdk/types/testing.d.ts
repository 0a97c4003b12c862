/** How a fired trigger ended. */
export interface InvokeResult {
    success: boolean;
    error?: Error;
}
/** Gives code a secret, until the next reset. */
export declare function setSecret(provider: string, fields: Record<string, unknown>, name?: string): void;
/** Forgets what the key-value store has and which secrets there are. Triggers stay. */
export declare function resetAll(): void;
