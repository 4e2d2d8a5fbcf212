// Comforts of forms. Every form works without them.
export function formComforts() {
  document.querySelector("[data-focus-first]")?.focus();
  for (const button of document.querySelectorAll("[data-reveal]")) reveal(button);
  for (const input of document.querySelectorAll("[data-slug-of]")) suggestSlug(input);
  for (const form of document.querySelectorAll("form[method=post]")) submitOnce(form);
  for (const form of document.querySelectorAll("form[data-send-on-change]")) form.addEventListener("change", () => form.requestSubmit());
}

// Shows or hides a password.
function reveal(button) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.querySelector("[data-words]").textContent = shown ? button.dataset.hide : button.dataset.show;
  });
}

// Follows the name until the slug is edited by hand.
function suggestSlug(input) {
  const name = document.getElementById(input.dataset.slugOf);
  let own = input.value !== "";
  input.addEventListener("input", () => { own = input.value !== ""; });
  name.addEventListener("input", () => { if (!own) input.value = slug(name.value); });
}

export function slug(name) {
  const german = { ä: "ae", ö: "oe", ü: "ue", ß: "ss" };
  return name.toLowerCase().replace(/[äöüß]/g, (letter) => german[letter]).normalize("NFKD").replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");
}

// A second press while the first is under way sends nothing. A page that comes back from the browser's cache starts afresh.
function submitOnce(form) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => form.removeAttribute("aria-busy"));
}
