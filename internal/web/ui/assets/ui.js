// What every page gains where scripts run: how long ago things were, buttons that
// copy, fields that send their form when they change, and a key for the search.
"use strict";
(() => {
  const units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const dated = new Intl.DateTimeFormat(undefined, {
    weekday: "short", year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });

  const ago = (time) => {
    const seconds = (time - Date.now()) / 1000;
    for (const [unit, size] of units) {
      if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
    }
    return Math.abs(seconds) < 5 ? "just now" : relative.format(Math.trunc(seconds), "second");
  };

  // Times: how long ago, with the exact one in the reader's zone on hover; data-local
  // shows the exact one, and the zone.
  const tell = () => {
    for (const t of document.querySelectorAll("time[datetime]")) {
      const time = Date.parse(t.dateTime);
      if (Number.isNaN(time)) continue;
      if (!t.title) t.title = exact.format(time) + " (" + Intl.DateTimeFormat().resolvedOptions().timeZone + ")";
      if ("ago" in t.dataset) t.textContent = ago(time);
      if ("local" in t.dataset) t.textContent = dated.format(time);
    }
  };

  const copy = async (button) => {
    const from = document.getElementById(button.dataset.copy);
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(from);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = said; }, 1500);
  };

  document.addEventListener("click", (e) => {
    const button = e.target.closest?.("button[data-copy]");
    if (button) copy(button);
  });
  document.addEventListener("change", (e) => {
    if (e.target.closest?.("[data-submit]")) e.target.form.requestSubmit();
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
    const search = document.querySelector("input[type=search]");
    if (!search) return;
    e.preventDefault();
    search.select();
    search.focus();
  });
  const ready = () => {
    for (const button of document.querySelectorAll("button[data-copy][hidden]")) button.hidden = false;
    tell();
  };
  document.addEventListener("renewed", ready);
  document.addEventListener("DOMContentLoaded", ready);
  setInterval(() => tell(), 30000);
})();
