// Enrolment with a key that is made in this browser.
import { copyButtons } from "./copy.js";
import { canMakeKeys, makeKeyPair } from "./keys.js";
import { follow } from "./live.js";
import { qrSvg } from "./qr.js";
import { localTimes } from "./times.js";

const WAITING_MS = 3000;

export async function enrolment() {
  const form = document.querySelector("[data-enrol]");
  const here = form.querySelector('[name="key"][value="browser"]');
  if (await canMakeKeys()) {
    here.disabled = false;
    if (!form.dataset.kept) here.checked = true;
  } else {
    form.querySelector("[data-no-keys]").hidden = false;
  }
  form.dataset.ready = "";
  form.addEventListener("submit", (event) => {
    if (form.elements.key.value !== "browser") return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    enrol(form).finally(() => form.removeAttribute("aria-busy"));
  }, { capture: true });
}

async function enrol(form) {
  clearProblem(form);
  const { privateKey, publicKey } = await makeKeyPair();
  const response = await send(form, publicKey);
  if (!response) return showProblem(form, { title: form.dataset.unreachable, errors: [] });
  const body = await response.json().catch(() => null);
  if (!response.ok) return showProblem(form, body ?? { title: form.dataset.unreachable, errors: [] });
  // The next device is another request.
  form.elements.once.value = crypto.randomUUID();
  show(form, body, privateKey, await waiting(form, body.device));
}

// The device's own page says what may keep it away; without it the plain line stays.
async function waiting(form, device) {
  const page = fetch(`${form.dataset.devices}/${device.id}`, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(WAITING_MS) });
  const text = await page.then((response) => (response.ok ? response.text() : "")).catch(() => "");
  return new DOMParser().parseFromString(text, "text/html").querySelector("#waiting");
}

function send(form, publicKey) {
  const fields = form.elements;
  const body = { name: fields.name.value, network_id: fields.network_id.value, key: { made_by: "device", public_key: publicKey } };
  if (fields.owner_id?.value) body.owner_id = fields.owner_id.value;
  if (fields.preshared_key.checked) body.preshared_key = true;
  if (fields.expires_at.value) body.expires_at = `${fields.expires_at.value}T23:59:59Z`;
  const headers = { "content-type": "application/json", accept: "application/json", "idempotency-key": crypto.randomUUID(), "accept-language": document.documentElement.lang };
  return fetch(form.dataset.enrol, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
}

function show(form, { device, configuration }, privateKey, waiting) {
  const text = configuration.text.replace(configuration.private_key_placeholder, () => privateKey);
  const page = document.querySelector("#made").content.cloneNode(true).firstElementChild;
  if (waiting) page.querySelector("#waiting").replaceWith(document.adoptNode(waiting));
  page.querySelector("[data-name]").textContent = device.name;
  page.querySelector("#configuration").textContent = text;
  drawQr(page, text);
  const download = page.querySelector("[data-download]");
  download.download = configuration.file_name;
  download.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  for (const place of page.querySelectorAll('[data-device=""]')) place.dataset.device = device.id;
  for (const link of page.querySelectorAll("[data-device-link]")) link.href = `${form.dataset.devices}/${device.id}`;
  document.querySelector("#enrolment").replaceChildren(page);
  copyButtons(page);
  localTimes(page);
  follow();
  const heading = page.querySelector("h1");
  heading.focus();
  window.scrollTo(0, 0);
  // Leaving loses the key: ask until it was taken along.
  const leaving = (event) => event.preventDefault();
  window.addEventListener("beforeunload", leaving);
  const taken = () => window.removeEventListener("beforeunload", leaving);
  page.querySelectorAll("[data-download], [data-copy]").forEach((button) => button.addEventListener("click", taken));
}

// A configuration with many routes can be longer than a QR code holds.
function drawQr(page, text) {
  try {
    page.querySelector("[data-qr]").replaceChildren(qrSvg(text));
  } catch {
    page.querySelector("[data-qr]").hidden = true;
    page.querySelector("[data-qr-lead]").hidden = true;
    page.querySelector("[data-qr-none]").hidden = false;
  }
}

function clearProblem(form) {
  form.querySelector("[data-problem]").hidden = true;
  form.querySelectorAll("[data-from-problem]").forEach((message) => message.remove());
  for (const field of form.querySelectorAll('[aria-invalid="true"]')) field.removeAttribute("aria-invalid");
}

function showProblem(form, problem) {
  const summary = form.querySelector("[data-problem]");
  summary.querySelector("[data-problem-title]").textContent = problem.title;
  summary.querySelector("[data-problem-detail]").textContent = problem.detail ?? "";
  const template = form.querySelector("#wrong");
  for (const { field, message } of problem.errors ?? []) {
    const input = form.elements[field];
    const wrong = template.content.cloneNode(true).firstElementChild;
    wrong.querySelector("[data-words]").textContent = message;
    wrong.setAttribute("data-from-problem", "");
    const place = input?.closest?.(".field");
    if (!place) {
      summary.querySelector("[data-problem-detail]").textContent = `${field}: ${message}`;
      continue;
    }
    wrong.id = `${input.id}-wrong`;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", wrong.id);
    place.append(wrong);
  }
  summary.hidden = false;
  summary.focus();
}
