// Keeps what is shown in step with the organisation's live stream.
import { announce } from "./announce.js";
import { humanBytes } from "./bytes.js";
import { refreshParts } from "./refresh.js";
import { setTime } from "./times.js";

const REFRESH_MS = 800;
let refreshing;

export function follow() {
  const { liveStream } = document.querySelector("[data-live-stream]").dataset;
  const events = new EventSource(liveStream);
  let interrupted = false;
  events.addEventListener("device", (event) => device(JSON.parse(event.data)));
  events.addEventListener("gateway", refreshSoon);
  events.addEventListener("reload", refreshSoon);
  events.addEventListener("error", () => { interrupted = true; });
  events.addEventListener("open", () => {
    if (interrupted) refreshSoon();
    interrupted = false;
  });
  // A device goes offline by silence, which no event tells.
  setInterval(sweep, 5000);
  window.addEventListener("pagehide", () => events.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

function device(live) {
  const places = [...document.querySelectorAll(`[data-device="${CSS.escape(live.device_id)}"]`)];
  if (places.length === 0) {
    refreshSoon();
    return;
  }
  let changed = false;
  for (const place of places) {
    changed = setPresence(place, live.online) || changed;
    fill(place, live);
  }
  if (changed) refreshSoon();
}

function fill(place, live) {
  for (const element of place.querySelectorAll("[data-live]")) {
    switch (element.dataset.live) {
      case "received": element.textContent = humanBytes(live.received_bytes); break;
      case "sent": element.textContent = humanBytes(live.sent_bytes); break;
      case "endpoint": element.textContent = live.endpoint ?? element.dataset.none; break;
      case "handshake":
        if (live.last_handshake_at) {
          let time = element.querySelector("time");
          if (!time) {
            time = document.createElement("time");
            time.dataset.show = "ago";
            element.replaceChildren(time);
          }
          setTime(time, live.last_handshake_at);
        }
        break;
    }
  }
}

function setPresence(place, online) {
  const presence = online ? "online" : "offline";
  let changed = false;
  for (const element of [place, ...place.querySelectorAll("[data-presence]")]) {
    if (!element.dataset.presence || element.dataset.presence === presence) continue;
    element.dataset.presence = presence;
    changed = true;
    if (element.classList.contains("badge")) {
      element.classList.toggle("good", online);
      element.querySelector("[data-words]").textContent = online ? element.dataset.online : element.dataset.offline;
    }
    if (element.dataset.say) announce(online ? element.dataset.say : "");
  }
  return changed;
}

// A session ends 180 seconds after its last handshake (WireGuard's REJECT_AFTER_TIME).
function sweep() {
  for (const place of document.querySelectorAll("[data-device]")) {
    const time = place.querySelector('[data-live="handshake"] time');
    if (time && Date.now() - new Date(time.dateTime).getTime() > 180_000) setPresence(place, false);
  }
}

// Several events at once are one reason to look.
function refreshSoon() {
  refreshing ??= setTimeout(() => {
    refreshing = undefined;
    refreshParts();
  }, REFRESH_MS);
}
