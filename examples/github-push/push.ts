/** The parts of GitHub's push event that are used here. */
export interface Push {
  /** "refs/heads/<branch>" or "refs/tags/<tag>" */
  ref: string;
  /** True when the push removed the branch or tag. */
  deleted: boolean;
  repository: { full_name: string };
  pusher: { name: string };
  commits: { id: string; message: string }[];
}

/** Takes the push out of a body that is JSON, or a form with one JSON field. */
export function readPush(body: any): Push {
  return typeof body.payload === "string" ? JSON.parse(body.payload) : body;
}

/** Says in a few lines what was pushed. */
export function describe(push: Push): string[] {
  const { pusher, repository, commits } = push;
  const target = `${refName(push.ref)} of ${repository.full_name}`;
  if (push.deleted) {
    return [`${pusher.name} deleted ${target}`];
  }
  return [
    `${pusher.name} pushed ${target}, new commits: ${commits.length}`,
    ...commits.map((commit) => `${commit.id.slice(0, 7)} ${firstLine(commit.message)}`),
  ];
}

function refName(ref: string): string {
  const [, kind, ...name] = ref.split("/");
  return `${kind === "tags" ? "tag" : "branch"} ${name.join("/")}`;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0];
}
