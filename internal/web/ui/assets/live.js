// Shows on the page of a workflow or of a run what happens, while it happens. The
// page that the server makes stays the truth: it is loaded anew at the start and
// wherever something may have been missed, and what is told meanwhile is added
// where it is missing. The page can be read without any of this.
"use strict";
(() => {
  const follow = document.querySelector("[data-channel]");
  const status = document.getElementById("live");
  const { channel, workflow, only, websocket } = follow.dataset;
  const mostRuns = 50, mostLines = 1000, mostText = 4000;

  const show = (state, text) => {
    status.hidden = false;
    status.dataset.state = state;
    status.textContent = text;
  };

  // The page

  const runs = () => document.getElementById("runs");
  const find = (id) => document.getElementById("run-" + id);
  const copy = (template) => document.getElementById(template).content.firstElementChild.cloneNode(true);
  const clock = (time) => time.slice(0, 19).replace("T", " ") + " UTC";
  const brief = (text) => text.length > mostText ? text.slice(0, mostText) + "…" : text;
  const lasted = (ms) => ms < 1000 ? ms + " ms" : (ms / 1000).toFixed(1) + " s";

  const finals = { completed: "good", failed: "bad", timeout: "bad", cancelled: "", no_deployment: "bad" };
  const final = (state) => state in finals;

  const mark = (run, state, attempt) => {
    run.dataset.state = state;
    run.dataset.attempt = attempt;
    const tag = run.querySelector(".state");
    tag.textContent = state;
    tag.className = "tag state " + (finals[state] || "");
    run.querySelector(".attempt").textContent = attempt > 1 ? "attempt " + attempt : "";
  };

  // What was told before and comes again changes nothing, and a run that has ended
  // stays so.
  const known = (run, state, attempt) => {
    const { state: shown } = run.dataset, latest = Number(run.dataset.attempt);
    return final(shown) || !final(state) && (attempt < latest || attempt === latest && (shown === state || shown === "received"));
  };

  const receive = (id, e) => {
    if (only || find(id) || e.payload.status === "no_deployment") return;
    const run = copy("run");
    run.id = "run-" + id;
    const link = run.querySelector("a"), time = run.querySelector("time");
    link.href = "/executions/" + id;
    time.dateTime = e.time;
    time.textContent = clock(e.time);
    run.querySelector(".what").textContent = [e.payload.method, e.payload.path?.replace("/webhook/" + workflow, "")].filter(Boolean).join(" ") || "an event";
    mark(run, e.payload.status, 0);
    runs().prepend(run);
    while (runs().childElementCount > mostRuns) runs().lastElementChild.remove();
  };

  // On the page of a run lines are added to the last ones, and only those that are
  // looked for.
  const wanted = ({ q, level }, l) => (!level || level === l.level) && (!q || l.message.toLowerCase().includes(q.toLowerCase()));

  const log = (run, { attempt, lines }) => {
    const list = run.querySelector(".lines"), { q, level, follows } = list.dataset;
    if (follows === "no") return;
    const low = list.scrollHeight - list.scrollTop - list.clientHeight < 30;
    for (const l of lines) {
      if (!wanted(list.dataset, l)) continue;
      const [lastAttempt, lastLine] = (list.lastElementChild?.dataset.at || "0-0").split("-").map(Number);
      if (attempt < lastAttempt || attempt === lastAttempt && l.line <= lastLine) continue;
      const next = attempt === lastAttempt ? lastLine + 1 : 1;
      if (l.line > next && !q && !level) {
        const hole = document.createElement("li");
        hole.className = "muted hole";
        hole.textContent = l.line - next === 1 ? `Line ${next} is not shown here.` : `Lines ${next} to ${l.line - 1} are not shown here.`;
        list.append(hole);
      }
      const line = copy("line");
      line.dataset.at = attempt + "-" + l.line;
      line.querySelector("time").textContent = l.timestamp.slice(11, 23);
      const message = line.querySelector(".message");
      message.textContent = brief(l.message);
      message.dataset.level = l.level;
      list.append(line);
    }
    while (list.childElementCount > mostLines) list.firstElementChild.remove();
    if (only && low) list.scrollTop = list.scrollHeight;
  };

  const apply = (e) => {
    if (e.type === "gap") return load();
    const id = e.payload?.execution_id;
    if (!id) return;
    if (e.type === "webhook.received") return receive(id, e);
    const run = find(id);
    if (!run) return;
    if (e.type === "workflow.execution.log") return log(run, e.payload);
    const { status: state, attempt, error, duration_ms: ms } = e.payload;
    if (!e.type.startsWith("workflow.execution.") || known(run, state, attempt)) return;
    if (only) return load();
    mark(run, state, attempt);
    run.querySelector(".wrong").textContent = brief(error || "");
    run.querySelector(".took").textContent = final(state) ? lasted(ms) : "";
  };

  // Parts of the page take the place of those before them. What was opened stays
  // open, and who looks at the end of a log stays there.
  const renew = (fresh) => {
    for (const part of fresh.querySelectorAll("[data-live][id]")) {
      const old = document.getElementById(part.id);
      if (!old) continue;
      const open = [...old.querySelectorAll("details[open][id]")].map((d) => d.id);
      const list = only && old.querySelector(".lines");
      const top = list && list.scrollTop, low = list && list.scrollHeight - top - list.clientHeight < 30;
      old.replaceWith(document.importNode(part, true));
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      const now = list && document.getElementById(part.id).querySelector(".lines");
      if (now) now.scrollTop = low ? now.scrollHeight : top;
    }
    document.dispatchEvent(new Event("renewed"));
  };

  // What comes while the page is loaded waits until it is there.
  let waiting = null, again = false;
  const load = async () => {
    if (waiting) {
      again = true;
      return;
    }
    waiting = [];
    do {
      again = false;
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (answer.ok && fresh.getElementById("runs")) {
          renew(fresh);
          continue;
        }
        if (answer.redirected || answer.status < 500) return location.reload(); // to the login, or what else there is now
        again = true;
      } catch {
        again = true;
      }
      if (again) await new Promise((go) => setTimeout(go, 1000));
    } while (again);
    const missed = waiting;
    waiting = null;
    missed.forEach(apply);
    if (!waiting && subscription.state === "subscribed") show("live", "Live");
  };

  // Looking for lines: at once, and what the server finds where scripts don't run.
  const form = document.getElementById("log-search");
  if (form) {
    let timer;
    const go = (address) => {
      history.replaceState(null, "", address);
      load();
    };
    const search = () => {
      const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
      go(form.action.split("?")[0] + (query.size ? "?" + query : ""));
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(search, 150);
    });
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      search();
    });
    document.addEventListener("click", (e) => {
      const link = e.target.closest?.("a[data-lines]");
      if (!link || e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      go(link.href);
    });
    const list = document.querySelector(".lines");
    if (list?.dataset.follows !== "no") list.scrollTop = list.scrollHeight;
  }

  // The connection. At this server the cookie is enough; a Centrifugo server takes
  // tokens.

  const token = (path) => !websocket ? null : async () => {
    const answer = await fetch(path, { method: "POST" });
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) throw new Centrifuge.UnauthorizedError("refused");
    if (!answer.ok) throw new Error("status " + answer.status);
    return (await answer.json()).token;
  };
  const server = new URL(websocket || location.origin.replace(/^http/, "ws") + "/ws/connection/websocket");
  const other = server.origin.replace(/^ws/, "http");
  const client = new Centrifuge([
    { transport: "websocket", endpoint: server.href },
    { transport: "http_stream", endpoint: other + "/connection/http_stream" },
    { transport: "sse", endpoint: other + "/connection/sse" },
  ], { emulationEndpoint: other + "/emulation", getToken: token("/api/realtime/token"), maxReconnectDelay: 5000 });
  const subscription = client.newSubscription(channel, { recoverable: true, getToken: token(`/api/workflows/${workflow}/channel-token`) });

  subscription.on("subscribed", ({ wasRecovering, recovered }) => {
    if (!(wasRecovering && recovered)) load();
    else if (!waiting) show("live", "Live");
  });
  subscription.on("subscribing", () => show("connecting", "Connecting…"));
  subscription.on("unsubscribed", () => show("ended", "Not live any more: reload the page"));
  subscription.on("publication", ({ data }) => waiting ? waiting.push(data) : apply(data));
  client.on("disconnected", () => show("ended", "Not live any more: reload the page"));
  subscription.subscribe();
  client.connect();
})();
