import { Builtin } from "floww";

const builtin = new Builtin();

// Each request to this webhook starts one run of the handler.
builtin.triggers.onWebhook({
  path: "hello",
  handler: (ctx, event) => {
    const name = event.body?.name ?? "world";

    console.log(`Hello, ${name}!`);
    console.log(`${event.method} ${event.path}, ${event.rawBody.length} bytes from ${event.headers["user-agent"]}`);
    console.log(`Run ${ctx.executionId}, attempt ${ctx.attempt}`);

    return { greeted: name };
  },
});
