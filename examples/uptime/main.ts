import { Builtin, KVStore } from "floww";

const builtin = new Builtin();
const store = new KVStore();

interface Target {
  url: string;
}

interface Answer {
  at: string;
  status: number | null;
  milliseconds: number;
  error?: string;
}

const targets = store.getTable<Target>("uptime-targets");
const answers = store.getTable<Answer>("uptime-answers");

// Fired by hand: adds an address, or takes it away with an empty one.
builtin.triggers.onManual<{ name: string; url?: string }>({
  name: "Watch an address",
  inputSchema: {
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string", pattern: "^[A-Za-z0-9_-]+$" },
      url: { type: "string" },
    },
    additionalProperties: false,
  },
  handler: async (_ctx, event) => {
    const { name, url } = event.input_data;
    if (url === undefined || url === "") {
      await targets.delete(name);
      return { removed: name };
    }
    await targets.set(name, { url });
    return { watching: name };
  },
});

builtin.triggers.onCron({
  expression: "*/10 * * * * *", // every ten seconds
  timeout: 30,
  concurrency: 1,
  handler: async (_ctx, event) => {
    const known = (await store.listTables()).includes("uptime-targets") ? await targets.listItems() : [];
    const seen = await Promise.all(known.map(({ key, value }) => look(key, value.url, event.scheduledTime)));
    return Object.fromEntries(seen);
  },
});

async function look(name: string, url: string, at: Date): Promise<[string, number | string]> {
  const began = performance.now();
  const answer: Answer = { at: at.toISOString(), status: null, milliseconds: 0 };
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    await response.text();
    answer.status = response.status;
  } catch (error) {
    answer.error = String(error);
  }
  answer.milliseconds = Math.round(performance.now() - began);

  const before = await answers.get(name);
  if (before !== undefined && before.status !== answer.status) {
    console.warn(`${name} answered ${before.status ?? "nothing"} before, and now ${answer.status ?? answer.error}`);
  }
  await answers.set(name, answer);
  return [name, answer.status ?? answer.error ?? "nothing"];
}
