// What the status means to a person: nodes with their services, what is as asked, what is lost and until when, and the verdict.

import { family } from './glyphs.js';

/** Words that are shown for a service, by the names that shapes and texts have. */
const STATES = {
  request_start: 'starting',
  request_start_balance: 'relocate',
  request_stop: 'stopping',
  ignore: 'ignored',
  'not found': 'notfound',
  'not understood': 'not_understood',
  'clearing error flag': 'clearing',
  'not ready': 'not_ready',
};
const QUIET = new Set(['started', 'stopped', 'disabled', 'ignored']);
const LOST = new Set(['silent', 'to_be_fenced']);

/** The cluster as a status describes it, with the bounds of its timings if they are known. It is worked out once for each status. */
export function understand(status, timings) {
  if (understood.status !== status || understood.timings !== timings) understood = { status, timings, cluster: clusterOf(status, timings) };
  return understood.cluster;
}

let understood = {};

function clusterOf(status, timings) {
  const failovers = new Map(status.failovers.map((failover) => [failover.node, failover]));
  const cameFrom = new Map();
  for (const failover of status.failovers) {
    for (const moved of failover.services) if (moved.to) cameFrom.set(moved.sid, failover.node);
  }
  const services = status.services.map((service) => understandService(service, cameFrom.get(service.sid)));
  const byNode = new Map();
  for (const service of services) {
    const own = byNode.get(service.node);
    if (own) own.push(service);
    else byNode.set(service.node, [service]);
  }
  const nodes = status.nodes.map((node) => {
    const lrm = status.lrms.find((one) => one.node === node.node);
    const loss = lossOf(node, failovers.get(node.node), timings);
    const own = (byNode.get(node.node) ?? []).sort(byAttention);
    const load = status.loads?.[node.node];
    return { ...node, name: node.node, watchdog: lrm?.watchdog ?? 'standby', load, loss, services: own };
  });
  return { status, nodes, services, byNode, homeless: services.filter((service) => !service.node) };
}

function understandService(service, from) {
  const state = STATES[service.shown] ?? service.shown;
  const look = family(state);
  const isCalm = service.health === 'healthy' && QUIET.has(state) && !service.reason && !service.advice;
  return { ...service, state, look, isCalm, from: from === service.node ? undefined : from };
}

/** What is not as asked stands first, the worst of it before the rest. */
const RANK = { trouble: 0, waiting: 1, moving: 2, held: 3, well: 4, off: 5 };
export const rank = (service) => (service.isCalm ? 10 : 0) + RANK[service.look];
const byAttention = (one, other) => (one.isCalm ? 1 : 0) - (other.isCalm ? 1 : 0) || rank(one) - rank(other);

/** How the loss of a node stands: since when, what may still run there, and the latest moment of all that follows. */
function lossOf(node, failover, timings) {
  if (failover?.outcome !== 'under_way' && !LOST.has(node.state)) return null;
  const began = failover ? (failover.lost_ms ?? failover.noticed_ms) : (node.last_seen ?? 0) * 1000;
  const recovery = timings?.recovery;
  const isUnderWay = failover?.outcome === 'under_way';
  const bound = failover?.bound_s ?? (node.master ? recovery?.longest_with_master_s : recovery?.longest_s);
  return {
    node: node.node,
    began,
    bound,
    reset: timings?.reset_latest_s,
    isDown: Boolean(failover?.locked_ms),
    seconds: failover?.seconds ?? {},
    moved: failover?.services ?? [],
    isFailover: isUnderWay,
  };
}

/** Services of a lost node that do not run elsewhere yet. */
export const waiting = (loss, node) => {
  const started = new Set(loss.moved.filter((moved) => moved.started_ms || !moved.starts).map((moved) => moved.sid));
  const left = loss.moved.filter((moved) => !started.has(moved.sid)).length;
  return loss.isDown ? left : Math.max(left, node.services.filter((service) => service.requested === 'started').length);
};

/** What there is to say in one sentence. `stale` is the age of the status in seconds, if it is too old. */
export function verdictOf(cluster, stale) {
  if (stale) return { kind: 'stale', look: 'stale', glyph: 'unknown', age: stale };
  const { nodes, services, status } = cluster;
  if (!services.length) return { kind: 'empty', look: 'off', glyph: 'stopped' };
  const lost = nodes.filter((node) => node.loss);
  const open = lost.filter((node) => node.loss.isFailover || waiting(node.loss, node) > 0);
  if (open.length) return { kind: 'lost', look: 'trouble', glyph: 'fence', lost: open };
  if (lost.length && status.health !== 'critical') return { kind: 'after', look: 'waiting', glyph: 'recovery', lost };
  const trouble = services.filter((service) => service.health === 'critical');
  if (trouble.length) return { kind: 'need', look: 'trouble', glyph: 'error', count: trouble.length };
  if (status.health === 'critical') return { kind: 'critical', look: 'trouble', glyph: 'error' };
  if (status.health === 'degraded') return { kind: 'degraded', look: 'waiting', glyph: 'recovery' };
  const moving = services.filter((service) => !service.isCalm);
  if (moving.length) return { kind: 'moving', look: 'moving', glyph: 'migrate', count: moving.length };
  return { kind: 'calm', look: 'well', glyph: 'ok' };
}

/** What a person should look at: of the cluster, of nodes, and of services, the worst first. */
export function problemsOf(cluster) {
  const { nodes, services, status } = cluster;
  const weight = { critical: 0, degraded: 1 };
  const whole = status.problems.map((text) => ({ key: `cluster ${text}`, health: status.health, state: 'info', look: 'waiting', text }));
  const ofNodes = nodes
    .filter((node) => node.health !== 'healthy' && !node.loss)
    .map((node) => ({ key: `node ${node.name}`, health: node.health, state: node.state, look: family(node.state), node }));
  // The verdict and the node itself tell of those.
  const lost = new Set(nodes.filter((node) => node.loss).map((node) => node.name));
  const isOnLostNode = (service) => service.state === 'fence' || (lost.has(service.node) && QUIET.has(service.state));
  const ofServices = services
    .filter((service) => service.health !== 'healthy' && !isOnLostNode(service))
    .map((service) => ({ key: service.sid, health: service.health, state: service.state, look: service.look, service }));
  // Where the proof that a node is down does not come, a person has to give it.
  const unproven = nodes
    .map((node) => ({ node, advice: node.loss && node.services.find((service) => service.advice?.code === 'confirm_fenced')?.advice }))
    .filter(({ advice }) => advice)
    .map(({ node, advice }) => ({ key: `unproven ${node.name}`, health: 'critical', state: node.state, look: 'trouble', node, advice }));
  return [...unproven, ...whole, ...ofServices, ...ofNodes].sort((one, other) => weight[one.health] - weight[other.health]);
}
