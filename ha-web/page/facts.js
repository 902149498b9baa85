// What is asked for beside the status, and less often: promised times, how many nodes can be lost, past failovers, fence devices, and where
// services of a lost node would go.

import { call, get } from './api.js';
import { known } from './feed.js';

export const facts = { timings: null, fencing: null, capacity: null, failovers: null, targets: new Map() };

const INTERVAL = 30000;
let askedAt = 0;
let askedFor = '';
let asking = false;

/** Asks again where what is known may be over. `changed` is called when there is something new. */
export async function refresh(changed) {
  const { status } = known;
  if (!status || asking) return;
  const lost = status.nodes.filter((node) => node.state === 'silent' || node.state === 'to_be_fenced').map((node) => node.node);
  const mark = [status.nodes.map((node) => node.state), status.failovers.length, status.services.length].join();
  if (mark === askedFor && Date.now() - askedAt < INTERVAL) return;
  asking = true;
  try {
    for (const node of facts.targets.keys()) if (!lost.includes(node)) facts.targets.delete(node);
    facts.timings ??= await get('timings');
    for (const node of lost.filter((name) => !facts.targets.has(name))) await askTargets(node);
    [facts.capacity, facts.failovers, facts.fencing] = await Promise.all([get('capacity'), get('failovers'), get('fencing')]);
    [askedAt, askedFor] = [Date.now(), mark];
  } catch {
    // What is known stays; the head says how old the status is. It is asked again with the next one.
    askedAt = 0;
  } finally {
    asking = false;
  }
  changed();
}

async function askTargets(node) {
  const { data } = await call('POST', 'what-if', { body: { fail: node } });
  facts.targets.set(node, new Map(data.recoveries.map((recovery) => [recovery.sid, recovery.to])));
}

/** Another user may see other things. */
export function forget() {
  Object.assign(facts, { timings: null, fencing: null, capacity: null, failovers: null, targets: new Map() });
  askedFor = '';
}
