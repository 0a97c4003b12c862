/** Settings of `new Builtin(…)` and `new KVStore(…)`. */
export interface ProviderOptions {
    /** The alias; "default" unless set. */
    credential?: string;
}
export declare function aliasOf(what: string, options: string | ProviderOptions): string;
