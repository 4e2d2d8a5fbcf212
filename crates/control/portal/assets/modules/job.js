// Keeps the bars of jobs in step, and loads what came of a job once it has ended.
import { announce } from "./announce.js";
import { refreshParts } from "./refresh.js";

const ASK_MS = 1000;

export function followJobs() {
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    for (const bar of document.querySelectorAll("[data-job]:not([data-job-ended])")) ask(bar);
  }, ASK_MS);
}

async function ask(bar) {
  const response = await fetch(bar.dataset.job, { headers: { accept: "application/json" } }).catch(() => null);
  if (!response?.ok) return;
  const job = await response.json();
  const state = job.state === "running" && job.stop_asked_at ? "stopping" : job.state;
  show(bar, state, job.progress);
  if (!["done", "dead", "cancelled"].includes(state)) return;
  bar.dataset.jobEnded = "";
  announce(bar.getAttribute(`data-say-${state}`));
  if (document.querySelector("[data-refresh]")) refreshParts();
  else location.reload();
}

function show(bar, state, { done, total }) {
  if (bar.dataset.jobAt !== state) {
    bar.dataset.jobAt = state;
    const badge = bar.querySelector("[data-job-state]");
    badge.className = `badge ${bar.getAttribute(`data-tone-${state}`)}`;
    badge.textContent = bar.getAttribute(`data-say-${state}`);
  }
  if (total === 0) return;
  const progress = bar.querySelector("progress");
  progress.max = total;
  progress.value = done;
  bar.querySelector("[data-job-count]").textContent = `${done} / ${total}`;
}
