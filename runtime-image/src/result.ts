import type { Limits, Outcome } from "./runs";

/** What a handler returned, as JSON. A Response is an object with one member. */
export async function resultOf(value: unknown, limits: Limits | undefined, took: () => number): Promise<Outcome> {
  const failed = (message: string): Outcome => ({ failed: { reason: "bad result", message, stack: "", durationMs: took() } });
  let result: string | undefined;
  try {
    result = JSON.stringify(isResponse(value) ? { $response: await written(value) } : value);
  } catch (error: any) {
    return failed("the handler's result can't be written as JSON: " + error.message);
  }
  const most = limits?.resultBytes ?? 1 << 20;
  const size = result === undefined ? 0 : Buffer.byteLength(result);
  if (size > most) {
    return failed(`the handler's result has ${size} bytes of JSON; at most ${most} are allowed`);
  }
  return { done: { result, durationMs: took() } };
}

/** Looks at the tag first: the class takes long to load, and most runs don't. */
function isResponse(value: unknown): value is Response {
  return Object.prototype.toString.call(value) === "[object Response]" && value instanceof Response;
}

async function written(response: Response): Promise<object> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const head = { status: response.status, headers: [...response.headers] };
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? { ...head, body: text } : { ...head, base64: bytes.toString("base64") };
}
