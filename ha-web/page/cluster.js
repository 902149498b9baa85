// Cluster: what runs where, what is wrong, what is under way and until when.

import { $, h, kept } from './dom.js';
import { age, isStale, known, now, reconnect } from './feed.js';
import { facts } from './facts.js';
import { family, glyph, word } from './glyphs.js';
import { problemsOf, rank, understand, verdictOf, waiting } from './state.js';
import { has, number, parts, percent, short, span, t, when } from './texts.js';
import { virtual } from './virtual.js';

/** What is chosen on this page; it stays while the page is open. */
const choice = { filter: '', attention: null, by: 'node', open: new Set() };
/** More nodes or services than that are a crowd: a tile a node, a square a service. */
const MOST_COLUMNS = 8;
const MOST_CHIPS = 300;
const narrow = matchMedia('(max-width: 640px)');

export function clusterPage(redraw) {
  if (!known.status) return h('section', { key: 'first', class: 'verdict' }, sentence('unknown', 'off', t('verdict.first'), t('verdict.first.sub')));
  const cluster = understand(known.status, facts.timings);
  const stale = isStale() ? age() : 0;
  const isCrowd = cluster.nodes.length > MOST_COLUMNS || cluster.services.length > MOST_CHIPS;
  return [
    verdict(cluster, stale),
    problems(cluster),
    cluster.services.length > 0 && tools(cluster, isCrowd, redraw),
    stale > 0 && h('p', { key: 'seen', class: 'seen' }, glyph('history', { look: '' }), t('seen', { when: when(known.at + known.skew) })),
    isCrowd ? crowd(cluster, stale, redraw) : columns(cluster, stale, redraw),
    cluster.services.length > 0 && legend(),
  ];
}

function sentence(shape, look, title, ...below) {
  return h('div', { class: 'say' }, glyph(shape, { size: 40, look }), h('div', null, h('h1', null, title), h('p', null, below)));
}

// The verdict: one sentence that can be read from three metres.

function verdict(cluster, stale) {
  const found = verdictOf(cluster, stale);
  const loss = found.lost?.[0].loss;
  const say = { calm, moving: underWay, lost, after, need, critical: whole, degraded: whole, stale: old, empty }[found.kind](found, cluster);
  return h('section', { key: 'verdict', class: `verdict is-verdict-${found.look}`, 'aria-label': t('nav.cluster') },
    sentence(found.glyph, found.look === 'stale' ? 'off' : found.look, ...say), factsOf(cluster, stale),
    loss?.bound && found.kind === 'lost' && loss.began ? phases(loss) : null);
}

function spare() {
  const capacity = facts.capacity;
  if (!capacity) return null;
  if (capacity.nodes > 0) return ` ${t('verdict.spare', { n: capacity.nodes })}`;
  const sids = capacity.too_much?.services ?? [];
  return sids.length ? ` ${t('verdict.spare.none', { sids: sids.slice(0, 3).join(', ') + (sids.length > 3 ? ', …' : '') })}` : null;
}

function calm(found, { services }) {
  const running = services.filter((service) => service.state === 'started').length;
  const off = services.length - running;
  return [t('verdict.calm'), t('verdict.calm.sub', { n: running }), off > 0 && ` ${t('verdict.calm.off', { n: off })}`, spare(), lastFailover()];
}

function lastFailover() {
  const last = facts.failovers?.at(-1);
  if (!last) return null;
  const passed = { age: span((now() - last.noticed_ms) / 1000, false) };
  const took = last.seconds.started;
  const text = took === null ? t('verdict.last.open', passed) : t('verdict.last', { ...passed, took: span(took), bound: span(last.bound_s) });
  return [h('br'), h('span', { class: 'last' }, text)];
}

function lost({ lost: nodes }) {
  const [node] = nodes;
  const n = nodes.reduce((sum, one) => sum + waiting(one.loss, one), 0);
  const title = nodes.length === 1 ? t('verdict.lost', { node: node.name }) : t('verdict.lost.many', { n: nodes.length });
  if (!n) return [title, t('verdict.lost.done')];
  const left = node.loss.bound - (now() - node.loss.began) / 1000;
  if (!(left > 0)) return [title, t('verdict.lost.over', { n })];
  const text = t(nodes.length === 1 ? 'verdict.lost.sub' : 'verdict.lost.sub.many', { n });
  return [title, `${text} `, h('b', { class: 'count' }, span(left))];
}

function after({ lost: nodes }) {
  const [node] = nodes;
  const title = nodes.length === 1 ? t('verdict.lost', { node: node.name }) : t('verdict.lost.many', { n: nodes.length });
  const failover = nodes.length === 1 && facts.failovers?.findLast((one) => one.node === node.name);
  const took = failover?.seconds?.started;
  if (typeof took !== 'number' || !failover.services.length) return [title, t('verdict.lost.done'), spare()];
  return [title, t('verdict.after', { n: failover.services.length, took: span(took), bound: span(failover.bound_s) }), spare()];
}

const asAsked = ({ services }) => ({ well: number(services.filter((service) => service.isCalm).length), all: number(services.length) });
const need = (found, cluster) => [t('verdict.need', { n: found.count }), t('verdict.need.sub', asAsked(cluster)), spare()];
const underWay = (found, cluster) => [t('verdict.moving', { n: found.count }), t('verdict.moving.sub', asAsked(cluster)), spare()];
const whole = (found, cluster) => [t(`verdict.${found.kind}`), t('verdict.need.sub', asAsked(cluster)), spare()];
const empty = (found, { nodes }) => [t('verdict.empty'), t('verdict.empty.sub', { n: nodes.filter((node) => node.state === 'online').length })];

function old({ age: seconds }) {
  const left = Math.max(0, (known.retryAt - Date.now()) / 1000);
  return [t('verdict.stale', { age: span(seconds, false) }), t('verdict.stale.sub'), ' ', left > 0 && `${t('verdict.stale.retry', { left: span(left, false) })} `,
    h('button', { class: 'link', onclick: reconnect }, t('verdict.stale.now'))];
}

function factsOf({ nodes, status }, stale) {
  const online = nodes.filter((node) => node.state === 'online' || node.state === 'maintenance').length;
  const { master, fencing } = status;
  const capacity = facts.capacity;
  const masterAge = master.timestamp ? (now() - master.timestamp * 1000) / 1000 : null;
  const spareNodes = capacity?.nodes ? t(capacity.is_whole ? 'fact.spare.n' : 'fact.spare.more', { n: capacity.nodes }) : t('fact.none');
  const rows = [
    ['nodes', t('fact.of', { n: online, all: nodes.length })],
    ['master', master.node ? [h('span', { class: 'mono' }, master.node), ' ', masterAge !== null && h('i', null, t('fact.ago', { age: span(Math.max(0, masterAge), false) }))] : t('fact.none')],
    ['fencing', [glyph(fencing.state), ' ', word(fencing.state)]],
    ['spare', capacity ? (capacity.nodes ? spareNodes : h('b', { class: 'is-waiting' }, spareNodes)) : '–'],
  ];
  return h('dl', { class: `facts ${stale ? 'stale' : ''}` }, rows.map(([name, value]) => h('div', { key: name }, h('dt', null, t(`fact.${name}`)), h('dd', null, value))));
}

/** A failover against its bound: what is done, and the latest moment of the end. */
function phases(loss) {
  const run = (now() - loss.began) / 1000;
  const steps = ['noticed', 'locked', 'placed', 'started'].map((name) => ({ name, at: loss.seconds[name] }));
  const next = steps.findIndex((step) => step.at === null || step.at === undefined);
  const x = (seconds) => Math.min(1000, Math.max(0, (seconds / loss.bound) * 1000)).toFixed(1);
  const label = t('phase.whole', { run: span(run), bound: span(loss.bound) });
  return h('div', { class: 'phases' },
    h('svg', { class: `bound ${run > loss.bound ? 'is-over' : ''}`, viewBox: '0 0 1000 16', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      h('path', { class: 'rail', d: 'M0 8h1000' }), h('path', { class: 'run', d: `M0 8h${x(run)}` }),
      steps.filter((step) => step.at > 0).map((step) => h('path', { class: 'at', key: step.name, d: `M${x(step.at)} 1v14` })), h('path', { class: 'end', d: 'M998.5 0v16' })),
    h('ol', null, steps.map((step, i) => {
      const isDone = step.at !== null && step.at !== undefined;
      return h('li', { class: isDone ? 'is-done' : i === next ? 'is-next' : '' }, glyph(isDone ? 'ok' : i === next ? 'starting' : 'queued', { look: isDone ? 'well' : i === next ? 'moving' : 'off' }), t(`phase.${step.name}`), isDone && h('i', null, t('phase.at', { at: span(step.at) })));
    }), h('li', { class: 'limit' }, label)));
}

// What a person should look at.

function problems(cluster) {
  const list = problemsOf(cluster);
  if (!list.length) return null;
  const most = 12;
  return h('section', { key: 'problems', class: 'problems', 'aria-labelledby': 'problems' }, h('h2', { id: 'problems', class: 'vh' }, t('problem.head')),
    h('ul', null, list.slice(0, most).map(problem)));
}

function problem(one) {
  const { service, node } = one;
  const title = service ? parts('problem.service', { sid: h('span', { class: 'mono' }, service.sid), state: word(service.state) })
    : node ? parts('problem.node', { node: h('span', { class: 'mono' }, node.name), state: word(node.state) }) : one.text;
  const why = service ? service.reason : node?.text;
  const to = service ? `#/service/${encodeURIComponent(service.sid)}` : null;
  const advice = service?.advice;
  return h('li', { key: one.key, class: `is-problem-${one.health === 'critical' ? 'trouble' : one.look}` }, glyph(one.state, { look: one.health === 'critical' ? 'trouble' : one.look, size: 20 }),
    h('div', { class: 'what' }, h('h3', null, title, service?.comment && h('span', { class: 'comment' }, ` ${service.comment}`)), why && h('p', { lang: 'en' }, why)),
    advice && h('dl', null, h('div', null, h('dt', null, t('problem.you')), h('dd', null, has(`advice.${advice.code}`) ? t(`advice.${advice.code}`) : advice.text))),
    h('div', { class: 'do' }, service?.since_ms && h('i', null, t('problem.since', { when: when(service.since_ms), age: span((now() - service.since_ms) / 1000, false) })), to && h('a', { class: 'button', href: to }, t('problem.show'))));
}

function tools(cluster, isCrowd, redraw) {
  const attention = choice.attention ?? false;
  const groups = ['node', 'state', 'type'];
  return h('div', { key: 'tools', class: 'tools' },
    h('label', { class: 'field grow' }, glyph('search', { look: '' }), h('input', { id: 'filter', type: 'search', placeholder: t('tool.filter'), 'aria-label': t('tool.filter'), autocomplete: 'off', spellcheck: 'false', oninput: (event) => { choice.filter = event.target.value.trim().toLowerCase(); redraw(); } }), h('kbd', { 'aria-hidden': 'true' }, 'f')),
    h('label', { class: 'check' }, h('input', { type: 'checkbox', id: 'attention', checked: attention, onchange: (event) => { choice.attention = event.target.checked; redraw(); } }), t('tool.attention')),
    !isCrowd && h('label', { class: 'pick' }, t('tool.group'), h('select', { id: 'group', onchange: (event) => { choice.by = event.target.value; redraw(); } }, groups.map((by) => h('option', { value: by, key: by, selected: by === choice.by }, t(`tool.by.${by}`))))));
}

const matches = (service) => (!choice.filter || `${service.sid} ${service.comment ?? ''} ${service.node ?? ''}`.toLowerCase().includes(choice.filter)) && !(choice.attention && service.isCalm);

// A column a node, or a group.

function columns(cluster, stale, redraw) {
  const isByNode = choice.by === 'node';
  const nodes = narrow.matches ? [...cluster.nodes].sort((one, other) => isWell(one) - isWell(other)) : cluster.nodes;
  const list = isByNode ? [...nodes.map((node) => column(node, cluster, redraw)), homeless(cluster)] : groups(cluster);
  return h('div', { key: 'columns', class: `columns has-${Math.min(nodes.length, 8)} ${stale ? 'stale' : ''} ${isByNode ? '' : 'by'}` }, list);
}

const isWell = (node) => (node.state === 'online' && !node.loss ? 1 : 0);

function column(node, cluster, redraw) {
  const shown = node.services.filter(matches);
  const calmCount = shown.filter((service) => service.isCalm).length;
  const isOpen = choice.open.has(node.name);
  const ghosts = (node.loss?.moved ?? []).filter((moved) => moved.to && moved.to !== node.name && !node.services.some((service) => service.sid === moved.sid));
  const toggle = () => { if (!choice.open.delete(node.name)) choice.open.add(node.name); redraw(); };
  const nothing = !shown.length && !ghosts.length && h('li', { class: 'none' }, t(node.state === 'maintenance' ? 'node.takes.none' : 'node.none'));
  return h('section', { key: `node ${node.name}`, class: `column is-node-${node.state} ${node.loss ? 'is-lost' : ''} ${isOpen ? 'is-open' : ''}`, 'aria-label': node.name },
    header(node),
    calmCount > 0 && h('button', { class: 'fold', 'aria-expanded': String(isOpen), onclick: toggle }, glyph('started'), h('span', null, t('node.calm', { n: calmCount })), h('em', null, t(isOpen ? 'node.fold' : 'node.show'))),
    h('ul', { class: 'chips' }, shown.map((service) => chipRow(service, node)), ghosts.map(ghost), nothing));
}

function header(node) {
  const state = node.loss?.isFailover && !node.loss.isDown ? 'to_be_fenced' : node.state;
  const said = node.fenced_ms ? t('state.fenced') : word(state);
  return h('header', null,
    h('h2', null, glyph(state, { name: node.state === 'online' ? word(state) : undefined, look: node.loss ? 'trouble' : family(state) }), h('span', { class: 'mono' }, node.name), node.master && h('small', null, t('node.master')), node.state !== 'online' && h('small', { class: `is-${node.loss ? 'trouble' : family(state)}` }, said)),
    node.loss ? lossHead(node) : [
      node.load && meter(t('node.cpu'), node.load.cpu, node.load.max_cpu), node.load && meter(t('node.memory'), node.load.memory, node.load.max_memory),
      h('p', { class: 'guard' }, glyph(node.watchdog === 'active' ? 'armed' : node.watchdog), t(`node.guard.${node.watchdog}`), node.last_seen && `, ${t('node.seen', { age: span((now() - node.last_seen * 1000) / 1000, false) })}`)],
    node.maintenance && h('p', { class: 'note' }, t(node.maintenance.since ? 'node.asked.since' : 'node.asked', { who: node.maintenance.by ?? t('node.somebody'), age: node.maintenance.since ? span((now() - node.maintenance.since * 1000) / 1000, false) : '' })));
}

/** A node that is lost: until when what may still run there, and when its services run again. */
function lossHead(node) {
  const { loss } = node;
  const run = (now() - loss.began) / 1000;
  const left = waiting(loss, node);
  const deadline = (text, seconds) => h('p', { class: 'deadline' }, h('i', null, text), h('b', null, span(Math.max(0, seconds))));
  if (node.fenced_ms && !left) return h('p', { class: 'guard' }, glyph('released', { look: 'off' }), t('node.fenced', { age: span((now() - node.fenced_ms) / 1000, false) }));
  if (loss.isDown) {
    const rest = loss.bound - run;
    return [left > 0 && (rest > 0 ? deadline(t('node.back'), rest) : h('p', { class: 'note' }, t('node.over', { age: span(-rest, false) }))), h('p', { class: 'guard' }, glyph('released', { look: 'off' }), t('node.down'))];
  }
  const reset = (loss.reset ?? 0) - run;
  return [reset > 0 ? deadline(t('node.reset'), reset) : h('p', { class: 'guard' }, glyph('standby'), t('node.proof')), left > 0 && h('p', { class: 'note' }, t('node.maybe', { n: left, node: node.name }))];
}

function meter(label, used, most) {
  if (!(most > 0)) return null;
  const share = Math.min(1, Math.max(0, used / most));
  const ticks = 32;
  const on = Math.round(share * ticks);
  const path = (from, to) => Array.from({ length: to - from }, (_, i) => `M${(from + i) * 4 + 1} 0v8`).join('');
  return h('div', { class: 'meter' }, h('span', null, label), h('svg', { viewBox: `0 0 ${ticks * 4} 8`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, h('path', { d: path(on, ticks) }), h('path', { class: 'on', d: path(0, on) })), h('b', null, percent(share)));
}

// A service. As asked: one quiet line. Otherwise: tinted, with its word and the reason.

function chipRow(service, node) {
  const loss = node?.loss && !node.loss.isDown ? node.loss : null;
  const target = loss ? facts.targets.get(node.name)?.get(service.sid) : undefined;
  const mark = [service.state, service.isCalm, service.reason, service.comment, service.target, service.from, service.lock, loss ? 1 : 0, target, choice.by, service.node, document.documentElement.lang].join('|');
  return kept(service.sid, mark, () => h('li', { class: service.isCalm && !loss ? 'is-calm' : '' }, chip(service, loss, target)));
}

export function chip(service, loss, target, more) {
  const { sid, state, comment } = service;
  const isDoubtful = loss && QUIET_ON_LOSS.has(state);
  const isCalm = service.isCalm && !loss && !service.from;
  const look = isDoubtful ? 'waiting' : service.look;
  const reason = reasonOf(service);
  const side = isDoubtful ? h('em', { class: target === null ? 'is-waiting' : 'then' }, target === null ? t('chip.nowhere') : target ? t('chip.then', { node: target }) : word('unknown'))
    : !isCalm && h('em', { class: `is-${look}` }, word(state));
  return h('a', { class: `chip ${isCalm ? '' : `tint-${look}`}`, 'data-sid': sid, href: `#/service/${encodeURIComponent(sid)}`, title: [sid, comment, word(state)].filter(Boolean).join(' · ') },
    glyph(isDoubtful ? 'unknown' : state, { name: isCalm ? word(state) : undefined, look }), h('b', { class: 'mono' }, short(sid)), h('span', null, comment ?? ''), side,
    (more || choice.by !== 'node') && h('em', { class: 'then mono' }, service.node ?? ''), !isCalm && !isDoubtful && reason && h('i', null, reason));
}

const QUIET_ON_LOSS = new Set(['started', 'stopped', 'disabled', 'fence']);

function reasonOf(service) {
  if (service.state === 'fence') return null;
  if (service.lock) return t('chip.lock', { lock: service.lock });
  if (service.target) return t('chip.to', { node: service.target });
  if (service.from) return t('chip.from', { node: service.from });
  return service.reason && h('span', { lang: 'en' }, service.reason);
}

function ghost(moved) {
  return h('li', { key: `ghost ${moved.sid}`, class: 'is-ghost is-calm' }, h('span', { class: 'chip' }, glyph('gone'), h('b', { class: 'mono' }, short(moved.sid, 18)), h('span', null, t('chip.left', { node: moved.to }))));
}

function homeless({ homeless: services }) {
  const shown = services.filter(matches);
  if (!shown.length) return null;
  return h('section', { key: 'homeless', class: 'column', 'aria-label': t('chip.homeless') }, h('header', null, h('h2', null, glyph('gone'), t('chip.homeless'))), h('ul', { class: 'chips' }, shown.map((service) => chipRow(service))));
}

function groups({ services }) {
  const keyOf = choice.by === 'state' ? (service) => service.state : (service) => service.sid.split(':')[0];
  const found = new Map();
  for (const service of services.filter(matches)) found.set(keyOf(service), [...(found.get(keyOf(service)) ?? []), service]);
  const list = [...found].sort(([, [one]], [, [other]]) => rank(one) - rank(other));
  if (!list.length) return h('p', { class: 'none' }, t('tool.nothing'));
  return list.map(([name, own]) => h('section', { key: `group ${name}`, class: 'column is-open', 'aria-label': name }, h('header', null, h('h2', null, choice.by === 'state' ? [glyph(name), word(name)] : h('span', { class: 'mono' }, name), h('small', null, number(own.length)))), h('ul', { class: 'chips' }, own.map((service) => chipRow(service)))));
}

function legend() {
  const states = ['started', 'starting', 'stopping', 'stopped', 'disabled', 'migrate', 'relocate', 'fence', 'recovery', 'freeze', 'error', 'maintenance', 'unknown'];
  return h('details', { key: 'legend', class: 'legend' }, h('summary', null, t('legend')), h('ul', null, states.map((state) => h('li', { key: state }, glyph(state), word(state)))));
}

// Ten thousand services: a tile a node, a square a service, and a list of which only what can be seen is there.

function crowd(cluster, stale, redraw) {
  const attention = choice.attention ?? !choice.filter;
  const list = cluster.services.filter((service) => (!choice.filter || matches(service)) && !(attention && service.isCalm)).sort((one, other) => rank(one) - rank(other));
  const title = t(attention ? 'crowd.attention' : 'crowd.list', { n: list.length });
  const row = (service) => h('li', { key: service.sid }, chip(service, null, undefined, true));
  return [h('div', { key: 'crowd', class: `crowd ${stale ? 'stale' : ''}` },
    h('ul', { class: 'tiles', 'aria-label': t('nav.nodes') }, cluster.nodes.map((node) => tile(node))),
    h('section', { class: 'roll', 'aria-label': title }, h('h2', null, title), virtual('roll', list, row, redraw))), h('p', { key: 'hint', class: 'hint' }, t('crowd.hint'))];
}

function tile(node) {
  const counts = { trouble: 0, waiting: 0, moving: 0, held: 0, well: 0, off: 0 };
  for (const service of node.services) counts[service.look] += 1;
  const mark = [node.state, node.master, node.loss ? 1 : 0, ...Object.values(counts), node.load && Math.round((node.load.memory / node.load.max_memory) * 100), document.documentElement.lang].join('|');
  return kept(`tile ${node.name}`, mark, () => {
    const paths = Object.fromEntries(Object.keys(counts).map((look) => [look, '']));
    const sorted = [...node.services].sort((one, other) => rank(one) - rank(other));
    sorted.forEach((service, i) => {
      const [x, y] = [(i % 20) * 6, Math.floor(i / 20) * 6];
      paths[service.look] += service.look === 'trouble' ? `M${x + 2} ${y - 0.5}l3 5h-6z` : service.look === 'moving' ? `M${x} ${y - 0.5}l4.5 2.5-4.5 2.5z` : service.look === 'off' ? `M${x + 0.5} ${y + 0.5}h3v3h-3z` : `M${x} ${y}h4v4h-4z`;
    });
    const height = Math.max(1, Math.ceil(sorted.length / 20)) * 6;
    const problem = counts.trouble + counts.waiting;
    return h('li', { class: `tile is-node-${node.state} ${node.loss ? 'is-lost' : ''}` },
      h('h2', null, glyph(node.state, { name: word(node.state), look: node.loss ? 'trouble' : undefined }), h('span', { class: 'mono' }, node.name), h('b', null, number(sorted.length))),
      h('svg', { viewBox: `-1 -1 122 ${height + 2}`, 'aria-hidden': 'true' }, Object.entries(paths).filter(([, d]) => d).map(([look, d]) => h('path', { key: look, class: `cell-${look}`, d }))),
      h('p', null, problem > 0 && h('span', { class: 'is-trouble' }, glyph('error'), number(problem)), counts.moving > 0 && h('span', { class: 'is-moving' }, glyph('migrate'), number(counts.moving)),
        node.state !== 'online' ? h('span', { class: `is-${family(node.state)}` }, word(node.state)) : !problem && node.load && h('i', null, `${t('node.memory')} ${percent(node.load.memory / node.load.max_memory)}`)));
  });
}

export const focusFilter = () => $('#filter')?.focus();
