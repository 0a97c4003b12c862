import { optionalText } from "./check";
import { host } from "./host";

/** What `Secret` needs of a schema; `z.object({ … })` of zod has it. */
export interface SecretSchema<Value> {
  readonly shape: Record<string, any>;
  parse(value: unknown): Value;
}

/**
 * A secret of the namespace, under a provider and a name, with the fields that
 * the schema has. A deployment is refused when it is missing; what it holds is
 * taken out of logs, errors and results.
 */
export class Secret<Value = any> {
  readonly #provider: string;
  readonly #name: string;
  readonly #schema: SecretSchema<Value>;
  #value: { is: Value } | undefined;
  readonly triggers = {};
  readonly actions = {};

  constructor(provider: string, schema: SecretSchema<Value>, name = "default") {
    optionalText("new Secret: the provider", provider ?? "");
    optionalText("new Secret: the name", name);
    if (typeof schema?.shape !== "object" || typeof schema.parse !== "function") {
      throw new TypeError("new Secret: the schema must be an object schema of zod, such as z.object({ token: z.string() })");
    }
    this.#provider = provider;
    this.#name = name;
    this.#schema = schema;
    host().provider({ type: provider, alias: name, secret: requiredFields(schema) });
  }

  /** The fields, checked by the schema. Only handlers get them. */
  value(): Value {
    // A run has one value; tests may set others.
    if (this.#value === undefined || host().invoke !== undefined) {
      const fields = host().secret(this.#provider, this.#name);
      if (fields === undefined) {
        throw new Error(`${this.#provider} credential '${this.#name}' not configured. Only handlers have secrets: call value() inside of one.`);
      }
      const known = Object.keys(this.#schema.shape).filter((key) => fields[key] !== undefined);
      this.#value = { is: this.#schema.parse(Object.fromEntries(known.map((key) => [key, fields[key]]))) };
    }
    return this.#value.is;
  }
}

function requiredFields(schema: SecretSchema<unknown>): string[] {
  return Object.keys(schema.shape).filter((key) => schema.shape[key]?.isOptional?.() !== true);
}
