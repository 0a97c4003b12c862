import { Builtin, KVStore, Secret } from "floww";
import { z } from "zod";
import { isSigned } from "./signature";

const builtin = new Builtin();
const store = new KVStore();

// The secret that was typed into "Secret" when the webhook was added on GitHub:
// Settings → Webhooks → Add webhook, with the content type application/json.
const github = new Secret("github-webhook", z.object({ secret: z.string() }));

interface Push {
  ref: string;
  repository: { full_name: string };
  commits: { id: string; author: { name: string } }[];
}

builtin.triggers.onWebhook<Push>({
  path: "push-counts",
  retry: 3,
  handler: async (ctx, event) => {
    if (!(await isSigned(event.rawBody, event.headers["x-hub-signature-256"], github.value().secret))) {
      console.error("The signature is wrong: this was not sent by GitHub, or the secret differs");
      return { refused: true };
    }
    if (event.headers["x-github-event"] !== "push") {
      return { ignored: event.headers["x-github-event"] };
    }

    // An attempt that follows a failed one counts nothing twice.
    const seen = store.getTable("push-counts-seen");
    if ((await seen.get(ctx.executionId)) !== undefined) {
      return { counted: "before" };
    }

    const { repository, commits } = event.body;
    const name = repository.full_name.replace(/[^A-Za-z0-9_-]/g, "_");
    const pushes = await store.increment("pushes", name);
    const total = await store.increment("commits", name, commits.length);
    await seen.set(ctx.executionId, true);
    console.log(`${repository.full_name}: push ${pushes}, ${total} commits so far`);
    return { repository: repository.full_name, pushes, commits: total };
  },
});
