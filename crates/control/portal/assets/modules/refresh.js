// Loads the page again in the background and takes over the parts that are marked.
import { copyButtons } from "./copy.js";
import { localTimes } from "./times.js";

export async function refreshParts() {
  const parts = [...document.querySelectorAll("[data-refresh]")];
  if (parts.length === 0) return;
  const response = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of parts) {
    const successor = fresh.getElementById(part.id);
    if (!successor || part.contains(document.activeElement)) continue;
    for (const open of part.querySelectorAll("details[open][id]")) successor.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
    part.replaceWith(document.adoptNode(successor));
    localTimes(successor);
    copyButtons(successor);
  }
}

// Again and again, while somebody looks.
export function keepFresh() {
  const every = Number(document.querySelector("[data-refresh-every]").dataset.refreshEvery);
  setInterval(() => { if (document.visibilityState === "visible") refreshParts(); }, every);
}
