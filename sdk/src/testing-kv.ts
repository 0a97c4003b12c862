interface Entry {
  value: unknown;
  version: number;
  created_at: string;
  updated_at: string;
}

const nameRule = /^[A-Za-z0-9_-]{1,255}$/;

/** A key-value store that lasts as long as a test. */
export class MemoryKV {
  #tables = new Map<string, Map<string, Entry>>();
  #versions = 0;

  clear(): void {
    this.#tables.clear();
  }

  /** Answers as the server does: `ok`, or `error` with a status. */
  answer(q: any): object {
    for (const name of [q.store, ...(q.table === undefined ? [] : [q.table]), ...(q.key === undefined ? [] : [q.key])]) {
      if (!nameRule.test(name)) {
        return refuse(400, `${JSON.stringify(name)} must have alphanumeric characters, _ and - alone, and at least one`);
      }
    }
    if (q.op === "tables") {
      const prefix = q.store + "/";
      return { ok: { tables: [...this.#tables.keys()].filter((t) => t.startsWith(prefix)).map((t) => t.slice(prefix.length)).sort() } };
    }
    const name = q.store + "/" + q.table;
    const table = this.#tables.get(name);
    if (q.op === "put" || q.op === "add") {
      return this.#write(table ?? new Map(), name, q);
    }
    if (table === undefined) {
      return refuse(404, `Table '${q.table}' not found`);
    }
    return this.#read(table, q);
  }

  #read(table: Map<string, Entry>, q: any): object {
    const entry = table.get(q.key);
    switch (q.op) {
      case "list": {
        const keys = [...table.keys()].filter((key) => key.startsWith(q.prefix ?? "")).sort();
        return { ok: q.values ? { items: keys.map((key) => ({ key, ...table.get(key) })) } : { keys } };
      }
      case "get":
        return entry === undefined ? refuse(404, `Key '${q.key}' not found in table '${q.table}'`) : { ok: { key: q.key, ...entry } };
      case "delete":
        if (entry === undefined) {
          return refuse(404, `Key '${q.key}' not found in table '${q.table}'`);
        }
        if (q.ifVersion !== undefined && q.ifVersion !== entry.version) {
          return otherVersion(q, entry);
        }
        table.delete(q.key);
        return { ok: {} };
      case "permissions":
        return { ok: [] };
      case "grant":
        return { ok: { workflow_id: q.workflowId, can_read: q.canRead, can_write: q.canWrite, created_at: new Date().toISOString() } };
      default:
        return { ok: {} };
    }
  }

  #write(table: Map<string, Entry>, name: string, q: any): object {
    const before = table.get(q.key);
    if (q.ifVersion !== undefined && q.ifVersion !== (before?.version ?? 0)) {
      return otherVersion(q, before);
    }
    let value = q.value;
    if (q.op === "add") {
      if (before !== undefined && typeof before.value !== "number") {
        return refuse(409, `the value of the key "${q.key}" is no number, so nothing can be added to it`);
      }
      value = ((before?.value as number | undefined) ?? 0) + q.by;
    }
    if (JSON.stringify(value).length > 1_000_000) {
      return refuse(400, "the value has more than 1000000 bytes of JSON");
    }
    const now = new Date().toISOString();
    const entry = { value, version: ++this.#versions, created_at: before?.created_at ?? now, updated_at: now };
    table.set(q.key, entry);
    this.#tables.set(name, table);
    return { ok: { key: q.key, ...entry } };
  }
}

function otherVersion(q: any, is: Entry | undefined): object {
  return refuse(409, `The key '${q.key}' has ${is === undefined ? "no value" : "version " + is.version}, which is not the one that was expected; read it again`);
}

function refuse(status: number, detail: string): object {
  return { error: { status, detail } };
}
