import type { RunOptions } from "./types";
/** Throws unless value is an object that has only the known keys. */
export declare function onlyKeys(what: string, value: unknown, known: readonly string[]): void;
/** Throws unless value is absent or a string that is not empty. */
export declare function optionalText(what: string, value: unknown): void;
export declare const runOptionKeys: readonly ["timeout", "memory", "concurrency", "onInterrupt", "retry"];
/** Takes the run options out of a trigger's argument, absent ones left out. */
export declare function runOptions(what: string, from: RunOptions): RunOptions;
