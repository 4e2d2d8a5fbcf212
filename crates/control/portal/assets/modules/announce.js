// Says something: to the eye in the toast, and through it, as a live region, to the ear.
const SHOWN_MS = 3500;
let hide;

export function announce(text) {
  const toast = document.querySelector("#toast");
  if (!toast || !text) return;
  toast.textContent = text;
  clearTimeout(hide);
  hide = setTimeout(() => { toast.textContent = ""; }, SHOWN_MS);
}
