import { onlyKeys, optionalText } from "./check";

/** Settings of `new Builtin(…)` and `new KVStore(…)`. */
export interface ProviderOptions {
  /** The alias; "default" unless set. */
  credential?: string;
}

export function aliasOf(what: string, options: string | ProviderOptions): string {
  if (typeof options !== "string") {
    onlyKeys(what, options, ["credential"]);
  }
  const alias = typeof options === "string" ? options : options.credential;
  optionalText(what + ": the alias", alias);
  return alias ?? "default";
}
