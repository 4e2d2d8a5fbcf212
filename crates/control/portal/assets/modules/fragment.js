// One-time links carry their token behind the '#', which browsers do not send. It moves into the form and out of the address bar.
export function fragmentTokens() {
  const input = document.querySelector("input[data-token]");
  const token = location.hash.slice(1);
  if (!input || !/^[A-Za-z0-9_-]{43}$/.test(token)) return;
  input.value = token;
  history.replaceState(null, "", location.pathname + location.search);
  const { form } = input;
  if (form.dataset.token === "send") return form.requestSubmit();
  input.closest(".field").hidden = true;
  form.querySelector("[autofocus], input:not([type=hidden]):not([data-token])")?.focus();
}
