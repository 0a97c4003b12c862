// The border to the server: bridge version 1. Everything that the SDK asks of
// the process that runs it goes through the one global object named here.

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
  options: RunOptions & { timezone?: string; respond?: "handler" };
  handler: Handler<any>;
}

interface Host {
  provider(ref: ProviderRef): void;
  trigger(registration: TriggerRegistration): void;
}

declare global {
  var __floww: Host | undefined;
}

/** Returns the host; throws where there is none, such as under plain Node. */
export function host(): Host {
  const found = globalThis.__floww;
  if (found === undefined) {
    throw new Error('The module "floww" works only inside flowwd; deploy this code with "flowwd deploy".');
  }
  return found;
}
