import { format } from "node:util";
import type { Limits } from "./runs";

export interface Line {
  time: number;
  level: string;
  message: string;
}

/** Makes the console of this thread send its lines, within the limits. */
export function openConsole(limits: Limits | undefined, send: (lines: Line[]) => void): void {
  const most = limits?.logLines ?? 100_000;
  const longest = limits?.logLineBytes ?? 64 << 10;
  let count = 0;
  // One more than allowed has the server say that there were too many.
  const log = (level: string, args: unknown[]) => {
    if (count++ <= most) {
      send([{ time: performance.timeOrigin + performance.now(), level, message: cut(format(...args), longest) }]);
    }
  };
  for (const level of ["debug", "info", "warn", "error", "log"] as const) {
    console[level] = (...args: unknown[]) => log(level, args);
  }
  console.trace = console.error;
  console.dir = (value: unknown) => log("log", [value]);
}

function cut(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) {
    return text;
  }
  const buffer = Buffer.from(text.slice(0, bytes));
  let end = Math.min(bytes, buffer.length);
  while (end > 0 && (buffer[end]! & 0xc0) === 0x80) {
    end--;
  }
  return buffer.toString("utf8", 0, end);
}
