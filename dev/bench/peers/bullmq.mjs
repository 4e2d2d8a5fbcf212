// The course of `warren-bench jobs` for BullMQ: asks, drains, trickles, and prints the figures as JSON.
// node bullmq.mjs URL JOBS CALLERS ASK_SECONDS AT_ONCE RATE TRICKLE_SECONDS
import { Queue, Worker } from 'bullmq';

const [url, ...numbers] = process.argv.slice(2);
const [jobs, callers, askSeconds, atOnce, rate, trickleSeconds] = numbers.map(Number);
const AT_A_TIME = 1000;

const { hostname, port, username, password } = new URL(url);
const connection = { host: hostname, port: Number(port), username, password, maxRetriesPerRequest: null };
// The account may use keys that begin with this.
const options = { connection, prefix: 'warren:bull' };
const queue = new Queue('errands', options);

let ended = 0;
const waits = [];
const now = () => performance.now();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const until = async (reached) => {
  while (!reached()) await pause(2);
};

for (let left = jobs; left > 0; left -= AT_A_TIME) {
  const many = Array.from({ length: Math.min(left, AT_A_TIME) }, () => ({ name: 'errand', data: {} }));
  await queue.addBulk(many);
}

const askedFrom = now();
let asked = 0;
const caller = async () => {
  while (now() - askedFrom < askSeconds * 1000) {
    await queue.add('errand', {});
    asked += 1;
  }
};
await Promise.all(Array.from({ length: callers }, caller));
const askedPerSecond = asked / ((now() - askedFrom) / 1000);

const carryOut = async (job) => {
  if (job.data.asked !== undefined) waits.push(now() - job.data.asked);
  ended += 1;
};
const drainedFrom = now();
const worker = new Worker('errands', carryOut, { ...options, concurrency: atOnce });
worker.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
await until(() => ended >= jobs + asked);
const drainedPerSecond = ended / ((now() - drainedFrom) / 1000);

const count = rate * trickleSeconds;
const trickledFrom = now();
const trickled = [];
for (let number = 0; number < count; number += 1) {
  const due = trickledFrom + (number * 1000) / rate;
  if (due > now()) await pause(due - now());
  trickled.push(queue.add('errand', { asked: now() }));
}
await Promise.all(trickled);
await until(() => waits.length >= count);

await worker.close();
await queue.close();
console.log(
  JSON.stringify({ asked_per_second: askedPerSecond, drained_per_second: drainedPerSecond, waits_ms: waits }),
);
