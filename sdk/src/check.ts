// Checks of what user code passes in. JavaScript callers have no types, and a
// misspelt key would otherwise do nothing, silently.

import type { RunOptions } from "./types";

/** Throws unless value is an object that has only the known keys. */
export function onlyKeys(what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== "object" || value === null) {
    throw new TypeError(`${what} takes an object with: ${known.join(", ")}`);
  }
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    throw new TypeError(`${what} does not know ${unknown.join(", ")}; it takes: ${known.join(", ")}`);
  }
}

/** Throws unless value is absent or a string that is not empty. */
export function optionalText(what: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "string" || value === "")) {
    throw new TypeError(`${what} must be a string that is not empty`);
  }
}

export const runOptionKeys = ["timeout", "concurrency", "onInterrupt"] as const;

/** Takes the run options out of a trigger's argument, absent ones left out. */
export function runOptions(what: string, from: RunOptions): RunOptions {
  const { timeout, concurrency, onInterrupt } = from;
  const options: RunOptions = {};
  if (timeout !== undefined) {
    if (typeof timeout !== "number" || !Number.isFinite(timeout) || timeout <= 0) {
      throw new TypeError(`${what}: timeout must be a number of seconds above 0`);
    }
    options.timeout = timeout;
  }
  if (concurrency !== undefined) {
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      throw new TypeError(`${what}: concurrency must be a whole number of at least 1`);
    }
    options.concurrency = concurrency;
  }
  if (onInterrupt !== undefined) {
    if (onInterrupt !== "rerun" && onInterrupt !== "fail") {
      throw new TypeError(`${what}: onInterrupt must be "rerun" or "fail"`);
    }
    options.onInterrupt = onInterrupt;
  }
  return options;
}
