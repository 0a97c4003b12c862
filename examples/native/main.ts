import { Builtin } from "floww";
import sharp from "sharp";

const builtin = new Builtin();

// Takes a picture as the body, and answers with one that is at most ?width=
// wide. sharp is C++ and has no place in the embedded runtime; the Dockerfile
// beside this file makes the image that has it.
builtin.triggers.onWebhook<Uint8Array>({
  path: "thumbnail",
  respond: "handler",
  handler: async (_ctx, event) => {
    const width = Math.min(Number(event.query.width ?? 200) || 200, 2000);
    const picture = sharp(event.rawBody, { limitInputPixels: 50_000_000 });
    const { format, width: before } = await picture.metadata();
    const { data, info } = await picture.resize({ width, withoutEnlargement: true }).webp().toBuffer({ resolveWithObject: true });

    console.log(`${format}, ${before} pixels wide, ${event.rawBody.length} bytes; now ${info.width} wide, ${info.size} bytes`);
    return new Response(new Uint8Array(data), { headers: { "content-type": "image/webp" } });
  },
});
