const text = new TextEncoder();

/** Checks GitHub's signature, "sha256=<hex>", over the bytes as they arrived. */
export async function isSigned(body: Uint8Array, signature: string | undefined, secret: string): Promise<boolean> {
  const hex = /^sha256=([0-9a-f]{64})$/.exec(signature ?? "")?.[1];
  if (hex === undefined) {
    return false;
  }
  const given = Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const key = await crypto.subtle.importKey("raw", text.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  // verify takes the same time whatever is wrong.
  return crypto.subtle.verify("HMAC", key, given, new Uint8Array(body));
}
