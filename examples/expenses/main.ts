import { Builtin, KVStore } from "floww";

const builtin = new Builtin();
const store = new KVStore();

interface Expense {
  who: string;
  what: string;
  cents: number;
  day?: string;
}

// The input is checked before there is a run: what does not fit is answered with
// what is wrong.
builtin.triggers.onManual<Expense>({
  name: "Expense",
  description: "What somebody paid for the company",
  inputSchema: {
    type: "object",
    required: ["who", "what", "cents"],
    properties: {
      who: { type: "string", pattern: "^[a-z]{1,30}$", description: "A short name, such as ann" },
      what: { type: "string", minLength: 1, maxLength: 200 },
      cents: { type: "integer", minimum: 1, maximum: 100_000_00 },
      day: { type: "string", pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description: "Today when it is left out" },
    },
    additionalProperties: false,
  },
  handler: async (ctx, event) => {
    const { who, what, cents, day = new Date().toISOString().slice(0, 10) } = event.input_data;
    // Only in the place of nothing: an expense is never counted twice.
    await store.set("expenses", ctx.executionId, { who, what, cents, day, by: event.triggered_by }, { ifVersion: 0 });
    const total = await store.increment("expense-totals", who, cents);
    console.log(`${who} paid ${(cents / 100).toFixed(2)} for ${what}`);
    return { who, total: (total / 100).toFixed(2) };
  },
});
