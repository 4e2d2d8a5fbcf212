// Buttons that copy the text of the thing beside them.
import { announce } from "./announce.js";

const DONE_MS = 1600;

export function copyButtons(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const text = button.dataset.copy || document.getElementById(button.dataset.copyFrom).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyBySelection(text)) return announce(button.dataset.failed);
  }
  announce(button.dataset.said);
  button.setAttribute("data-done", "");
  setTimeout(() => button.removeAttribute("data-done"), DONE_MS);
}

// Where the page is not a secure context there is no clipboard to write to, but a selection can still be copied.
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.className = "unseen";
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
