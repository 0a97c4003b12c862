import { Builtin } from "floww";
import { describe, readPush } from "./push";

const builtin = new Builtin();

// Add the address of this webhook to a repository on GitHub: Settings →
// Webhooks → Add webhook. Both content types that GitHub offers work.
builtin.triggers.onWebhook({
  path: "github-push",
  handler: (_ctx, event) => {
    const kind = event.headers["x-github-event"];
    if (kind !== "push") {
      // GitHub sends a "ping" when the webhook is added.
      console.log(`Nothing to do for a "${kind}" delivery`);
      return { ignored: kind };
    }

    const push = readPush(event.body);
    for (const line of describe(push)) {
      console.log(line);
    }
    return { repository: push.repository.full_name, commits: push.commits.length };
  },
});
