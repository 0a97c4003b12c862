// Sources made ready to run: bundled once, kept under their hash.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

export interface UserCode {
  files: Record<string, string>;
  entrypoint: string;
}

export interface Program {
  /** The script to import. */
  script: string;
  /** Where the files are, for taking the path out of stacks. */
  folder: string;
}

/** How many programs are kept; the least recently used goes first. */
const kept = 32;
const home = path.join(process.env.FLOWWD_CACHE ?? "/tmp", "flowwd");
const runtime = import.meta.dirname;
const own = path.join(runtime, "node_modules");
/** The packages of images that are built on this one. */
const app = process.env.FLOWWD_APP ?? "/app/node_modules";
const run = promisify(execFile);

export class Programs {
  readonly #all = new Map<string, Promise<Program>>();

  has(hash: string | undefined): boolean {
    return hash !== undefined && this.#all.has(hash);
  }

  /** Returns the program of a hash, made of the code when it is not there. */
  get(hash: string | undefined, code: UserCode | undefined): Promise<Program> {
    hash ??= createHash("sha256").update(JSON.stringify(code)).digest("hex");
    let program = this.#all.get(hash);
    if (program === undefined) {
      if (code === undefined) {
        throw new Error("the program is not known");
      }
      program = compile(hash, code);
      program.catch(() => this.#all.delete(hash));
    }
    this.#all.delete(hash);
    this.#all.set(hash, program); // the last one is the one used last
    for (const oldest of this.#all.keys()) {
      if (this.#all.size <= kept) {
        break;
      }
      this.#all.delete(oldest);
      void rm(path.join(home, oldest), { recursive: true, force: true });
    }
    return program;
  }
}

async function compile(hash: string, code: UserCode): Promise<Program> {
  const place = path.join(home, path.basename(hash));
  const folder = path.join(place, "src");
  await rm(place, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(code.files)) {
    const file = path.join(folder, name);
    if (!file.startsWith(folder + path.sep)) {
      throw new Error(`the path ${JSON.stringify(name)} leads out of the project`);
    }
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  if (existsSync(app)) {
    await symlink(app, path.join(place, "node_modules"));
  }
  const script = path.join(place, "program.mjs");
  try {
    await run(path.join(runtime, "esbuild"), args(folder, entry(folder, code.entrypoint), script), {
      cwd: folder,
      env: { NODE_PATH: own },
      maxBuffer: 1 << 20,
    });
  } catch (error: any) {
    throw new Error(problems(error));
  }
  return { script, folder };
}

function args(folder: string, entrypoint: string, script: string): string[] {
  return [
    entrypoint,
    "--bundle",
    "--platform=node",
    "--format=esm",
    "--target=node22",
    "--sourcemap",
    "--sources-content=false",
    "--keep-names",
    "--log-level=error",
    "--color=false",
    `--outfile=${script}`,
    '--banner:js=import{createRequire as __flowwdRequire}from"node:module";const require=__flowwdRequire(import.meta.url);',
    ...packages(folder).map((name) => `--external:${name}`),
  ];
}

/** The packages of the image, which stay out of the bundle: they may be native. */
function packages(folder: string): string[] {
  if (!existsSync(app)) {
    return [];
  }
  const names = readdirSync(app).flatMap((name) => {
    if (name.startsWith(".")) {
      return [];
    }
    return name.startsWith("@") ? readdirSync(path.join(app, name)).map((inner) => `${name}/${inner}`) : [name];
  });
  return names.filter((name) => name !== "floww" && !existsSync(path.join(folder, "node_modules", name)));
}

/** The file of an entrypoint, whose ending may be left out. */
function entry(folder: string, entrypoint: string): string {
  const endings = ["", ".ts", ".tsx", ".mts", ".js", ".mjs", "/index.ts", "/index.js"];
  const found = endings.map((ending) => path.join(folder, entrypoint + ending)).find((file) => /\.\w+$/.test(file) && existsSync(file));
  if (found === undefined) {
    throw new Error(`the entrypoint ${entrypoint} is not among the files`);
  }
  return found;
}

/** What the bundler found, a line for each: "file:line:column: text". */
function problems(error: any): string {
  const text = String(error.stderr ?? "");
  const found = [...text.matchAll(/\[ERROR\] (.*)\n\n(?: {4}(\S+:\d+:\d+):)?/g)].map(([, what, where]) => (where ? `${where}: ${what}` : what));
  return found.length > 0 ? found.join("\n") : "the code could not be bundled: " + (text.trim() || error.message);
}
