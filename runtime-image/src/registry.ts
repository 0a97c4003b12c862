// What the code registers while it is loaded.

import { isDeepStrictEqual } from "node:util";
import type { Defined } from "./runs";
import type { Host, ProviderRef, TriggerRegistration } from "../../sdk/src/host";

export interface TriggerKey {
  provider: ProviderRef;
  triggerType: string;
  input: unknown;
  /** Counts equal triggers from 0. */
  ordinal?: number;
}

export class Registry {
  readonly #triggers: TriggerRegistration[] = [];
  readonly #providers: (ProviderRef & { secret?: string[] })[] = [];
  readonly #configs: Record<string, Record<string, unknown>> | undefined;
  readonly #ask: Host["ask"];

  /** There are no configs while the code is loaded to see what it declares. */
  constructor(configs: Record<string, Record<string, unknown>> | undefined, ask: Host["ask"]) {
    this.#configs = configs;
    this.#ask = ask;
  }

  get count(): number {
    return this.#triggers.length;
  }

  /** The border that the module floww knows. */
  host(): Host {
    return Object.freeze({
      provider: (ref: ProviderRef & { secret?: string[] }) => void this.#providers.push(ref),
      trigger: (registration: TriggerRegistration) => {
        if (typeof registration.handler !== "function") {
          throw new TypeError(`${registration.triggerType} needs a handler, which is a function`);
        }
        this.#triggers.push(registration);
      },
      secret: (type: string, alias: string) => this.#configs?.[`${type}:${alias}`],
      ask: (name: string, question: string) => {
        if (this.#configs === undefined) {
          throw new Error(`${name} is not available while the code is loaded; use it in a handler`);
        }
        return this.#ask(name, question);
      },
    });
  }

  defined(): Defined {
    return {
      triggers: this.#triggers.map((t) => ({ provider: t.provider, type: t.triggerType, input: JSON.stringify(t.input), options: t.options ?? {} })),
      providers: this.#providers,
    };
  }

  find(key: TriggerKey): TriggerRegistration["handler"] | undefined {
    const equal = this.#triggers.filter(
      (t) =>
        t.provider.type === key.provider.type &&
        t.provider.alias === key.provider.alias &&
        t.triggerType === key.triggerType &&
        isDeepStrictEqual(plain(t.input), plain(key.input)),
    );
    return equal[key.ordinal ?? 0]?.handler;
  }
}

/** What is left of a value in JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? "null");
}
