import { aliasOf, type ProviderOptions } from "./alias";
import { ask, host } from "./host";

/** A value under its key. */
export interface KVItem<T = any> {
  key: string;
  value: T;
  /** Differs for any two values that the key ever had. */
  version: number;
  created_at: string;
  updated_at: string;
}

/** What a workflow may do to a table. */
export interface KVPermission {
  workflow_id: string;
  can_read: boolean;
  can_write: boolean;
  created_at: string;
}

export interface KVSetOptions {
  /**
   * Stores the value only in the place of this version, 0 for no value; fails
   * with the status 409 otherwise.
   */
  ifVersion?: number;
}

export interface KVListOptions {
  /** Only keys that begin with this. */
  prefix?: string;
}

/** What the store refuses. */
export class KVError extends Error {
  constructor(
    message: string,
    /** As over HTTP: 400 for a bad name or value, 403, 404, 409. */
    readonly statusCode: number,
    readonly details?: any,
  ) {
    super(message);
    this.name = "KVError";
  }
}

/** The keys in one question; lists ask until there are no more. */
const page = 1000;

/**
 * Tables of JSON values that outlive runs. A workflow may use the tables that it
 * made, and those that it was granted. Only handlers can use it.
 */
export class KVStore {
  readonly #store: string;
  readonly triggers = {};
  readonly actions = {};

  constructor(options: string | ProviderOptions = {}) {
    this.#store = aliasOf("new KVStore", options);
    host().provider({ type: "kvstore", alias: this.#store });
  }

  /** A table whose values have a type. */
  getTable<T = any>(name: string): KVTable<T> {
    return new KVTable<T>(this, name);
  }

  /** The tables that this workflow may use. */
  async listTables(): Promise<string[]> {
    return (await this.#ask("tables", {})).tables;
  }

  /** The value, undefined when there is none. */
  async get<T = any>(table: string, key: string): Promise<T | undefined> {
    return (await this.getItem<T>(table, key))?.value;
  }

  /** The value with its version and times, undefined when there is none. */
  async getItem<T = any>(table: string, key: string): Promise<KVItem<T> | undefined> {
    try {
      return await this.#ask("get", { table, key });
    } catch (error) {
      if (error instanceof KVError && error.statusCode === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** Stores a value, in a new table when there is none; JSON of up to 1 MB. */
  async set<T = any>(table: string, key: string, value: T, options: KVSetOptions = {}): Promise<KVItem<T>> {
    if (JSON.stringify(value) === undefined) {
      throw new TypeError("the value has no form in JSON; delete removes a key");
    }
    return { ...(await this.#ask("put", { table, key, value, ifVersion: options.ifVersion })), value };
  }

  /**
   * Adds to a number and gives the sum, also when many runs count at once. A key
   * without a value counts as 0.
   */
  async increment(table: string, key: string, by = 1): Promise<number> {
    if (typeof by !== "number" || !Number.isFinite(by)) {
      throw new TypeError("increment adds a number");
    }
    return (await this.#ask("add", { table, key, by })).value;
  }

  /** Removes a key; fails with the status 404 when there is none. */
  async delete(table: string, key: string, options: KVSetOptions = {}): Promise<void> {
    await this.#ask("delete", { table, key, ifVersion: options.ifVersion });
  }

  /** All keys, in their order. */
  async listKeys(table: string, options: KVListOptions = {}): Promise<string[]> {
    return this.#list(table, options, false, (part) => part.keys);
  }

  /** All keys with their values, in their order. */
  async listItems<T = any>(table: string, options: KVListOptions = {}): Promise<KVItem<T>[]> {
    return this.#list(table, options, true, (part) => part.items);
  }

  /** Which workflows may use a table. */
  async listPermissions(table: string): Promise<KVPermission[]> {
    return this.#ask("permissions", { table });
  }

  /** Lets another workflow of the namespace use a table; read it unless set. */
  async grantPermission(table: string, workflowId: string, options: { read?: boolean; write?: boolean } = {}): Promise<KVPermission> {
    return this.#ask("grant", { table, workflowId, canRead: options.read ?? true, canWrite: options.write ?? false });
  }

  async revokePermission(table: string, workflowId: string): Promise<void> {
    await this.#ask("revoke", { table, workflowId });
  }

  async #list<Part>(table: string, options: KVListOptions, values: boolean, parts: (answer: any) => Part[]): Promise<Part[]> {
    const all: Part[] = [];
    let cursor: string | undefined;
    do {
      const answer = await this.#ask("list", { table, values, cursor, prefix: options.prefix, limit: page });
      all.push(...parts(answer));
      cursor = answer.next;
    } while (cursor !== undefined);
    return all;
  }

  #ask(op: string, question: object): Promise<any> {
    return ask("kv", { op, store: this.#store, ...question }, (status, detail) => new KVError(detail, status, { detail }));
  }
}

/** One table of a store. */
export class KVTable<T = any> {
  readonly #store: KVStore;
  readonly #name: string;

  constructor(store: KVStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  get(key: string): Promise<T | undefined> {
    return this.#store.get<T>(this.#name, key);
  }

  getItem(key: string): Promise<KVItem<T> | undefined> {
    return this.#store.getItem<T>(this.#name, key);
  }

  set(key: string, value: T, options?: KVSetOptions): Promise<KVItem<T>> {
    return this.#store.set<T>(this.#name, key, value, options);
  }

  increment(key: string, by?: number): Promise<number> {
    return this.#store.increment(this.#name, key, by);
  }

  delete(key: string, options?: KVSetOptions): Promise<void> {
    return this.#store.delete(this.#name, key, options);
  }

  listKeys(options?: KVListOptions): Promise<string[]> {
    return this.#store.listKeys(this.#name, options);
  }

  listItems(options?: KVListOptions): Promise<KVItem<T>[]> {
    return this.#store.listItems<T>(this.#name, options);
  }

  listPermissions(): Promise<KVPermission[]> {
    return this.#store.listPermissions(this.#name);
  }

  grantPermission(workflowId: string, options?: { read?: boolean; write?: boolean }): Promise<KVPermission> {
    return this.#store.grantPermission(this.#name, workflowId, options);
  }

  revokePermission(workflowId: string): Promise<void> {
    return this.#store.revokePermission(this.#name, workflowId);
  }
}
