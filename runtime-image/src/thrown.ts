import { inspect } from "node:util";
import type { Program } from "./programs";

/** A stack is cut here, in characters. */
const longest = 16 << 10;

/** What was thrown, for the author of the code: frames of ours are left out. */
export function describe(thrown: unknown, program: Program): { message: string; stack: string } {
  if (!(thrown instanceof Error)) {
    return { message: typeof thrown === "string" ? thrown : inspect(thrown), stack: "" };
  }
  const frames = String(thrown.stack ?? "")
    .slice(0, longest)
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !line.includes("worker.mjs") && !line.includes("node:internal"))
    .map((line) => line.replaceAll("file://" + program.folder + "/", "").replaceAll(program.folder + "/", ""));
  return { message: `${thrown.name}: ${thrown.message}`, stack: frames.join("\n") };
}
