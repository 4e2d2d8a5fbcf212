// Turns moments, which the server writes in UTC, into the reader's language and time zone.
const language = document.documentElement.lang || undefined;
const whole = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "long" });
const short = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 7]];
const AGAIN_MS = 15_000;

export function localTimes(root) {
  root.querySelectorAll("time[datetime]").forEach(show);
}

export function setTime(element, moment) {
  element.dateTime = moment;
  show(element);
}

function show(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  element.title = whole.format(moment);
  const style = element.dataset.show;
  element.textContent = style === "ago" ? ago(moment) : style === "day" ? day.format(moment) : short.format(moment);
}

function ago(moment) {
  let amount = (moment.getTime() - Date.now()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(amount) < size) return relative.format(Math.round(amount), unit);
    amount /= size;
  }
  return short.format(moment);
}

setInterval(() => document.querySelectorAll('time[data-show="ago"]').forEach(show), AGAIN_MS);
