// Checks of what user code passes in. JavaScript callers have no types, and a
// misspelt key would otherwise do nothing, silently.

import type { RetryOptions, RunOptions } from "./types";

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

export const runOptionKeys = ["timeout", "memory", "concurrency", "onInterrupt", "retry"] as const;

/** Takes the run options out of a trigger's argument, absent ones left out. */
export function runOptions(what: string, from: RunOptions): RunOptions {
  const { timeout, memory, concurrency, onInterrupt, retry } = from;
  const options: RunOptions = {};
  if (timeout !== undefined) {
    if (typeof timeout !== "number" || !Number.isFinite(timeout) || timeout <= 0) {
      throw new TypeError(`${what}: timeout must be a number of seconds above 0`);
    }
    options.timeout = timeout;
  }
  if (memory !== undefined) {
    if (!Number.isSafeInteger(memory) || memory < 16) {
      throw new TypeError(`${what}: memory must be a whole number of megabytes, at least 16`);
    }
    options.memory = memory;
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
  if (retry !== undefined) {
    options.retry = retryOptions(`${what}: retry`, retry);
  }
  return options;
}

const retryKeys = ["attempts", "maxAttempts", "backoff", "delay", "maxDelay", "jitter"] as const;

/** Takes the number of attempts alone as well. The server knows the bounds. */
function retryOptions(what: string, retry: number | RetryOptions): RetryOptions {
  if (typeof retry === "number") {
    return { attempts: wholeNumber(what, retry) };
  }
  onlyKeys(what, retry, retryKeys);
  const { attempts, maxAttempts, backoff, delay, maxDelay, jitter } = retry;
  if (attempts !== undefined && maxAttempts !== undefined) {
    throw new TypeError(`${what} takes attempts or maxAttempts, not both`);
  }
  const options: RetryOptions = { attempts: wholeNumber(`${what}.attempts`, attempts ?? maxAttempts) };
  if (backoff !== undefined) {
    if (backoff !== "exponential" && backoff !== "fixed") {
      throw new TypeError(`${what}.backoff must be "exponential" or "fixed"`);
    }
    options.backoff = backoff;
  }
  if (delay !== undefined) {
    options.delay = seconds(`${what}.delay`, delay);
  }
  if (maxDelay !== undefined) {
    options.maxDelay = seconds(`${what}.maxDelay`, maxDelay);
  }
  if (jitter !== undefined) {
    if (typeof jitter !== "boolean") {
      throw new TypeError(`${what}.jitter must be true or false`);
    }
    options.jitter = jitter;
  }
  return options;
}

function wholeNumber(what: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    throw new TypeError(`${what} must be a whole number of at least 1`);
  }
  return value;
}

function seconds(what: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw new TypeError(`${what} must be a number of seconds from 0`);
  }
  return value;
}
