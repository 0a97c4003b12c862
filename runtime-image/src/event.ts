// Events: fields and a raw body become what the handler is called with.

export interface EventParts {
  /** The event of a server that knows only the contract. */
  data?: Record<string, unknown>;
  event?: {
    fields: Record<string, unknown>;
    hasBody: boolean;
    /** In base64. */
    body: string;
    contentType: string;
    kind: "json" | "form" | "text" | "multipart" | "bytes";
  };
}

export async function eventOf(parts: EventParts): Promise<unknown> {
  const { event } = parts;
  if (event === undefined) {
    return parts.data;
  }
  if (!event.hasBody) {
    return event.fields;
  }
  const raw = new Uint8Array(Buffer.from(event.body, "base64"));
  return { ...event.fields, body: await bodyOf(raw, event.kind, event.contentType), rawBody: raw };
}

async function bodyOf(raw: Uint8Array<ArrayBuffer>, kind: string, contentType: string): Promise<unknown> {
  if (raw.length === 0) {
    return null;
  }
  const text = () => new TextDecoder().decode(raw);
  switch (kind) {
    case "json":
      try {
        return JSON.parse(text());
      } catch {
        return text();
      }
    case "form":
      return grouped(new URLSearchParams(text()));
    case "multipart":
      try {
        return grouped(await new Response(raw, { headers: { "content-type": contentType } }).formData());
      } catch {
        return raw;
      }
    case "text":
      return text();
    default:
      return raw;
  }
}

/** A value for each name, an array for one that stands more than once. */
function grouped(pairs: { keys(): Iterable<string>; getAll(name: string): unknown[] }): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const name of new Set(pairs.keys())) {
    const values = pairs.getAll(name);
    Object.defineProperty(out, name, { value: values.length === 1 ? values[0] : values, enumerable: true, writable: true, configurable: true });
  }
  return out;
}
