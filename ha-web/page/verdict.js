// The verdict: one sentence that can be read from three metres, with a few facts, and a failover against its bound.

import { h } from './dom.js';
import { facts } from './facts.js';
import { known, now, reconnect } from './feed.js';
import { glyph, word } from './glyphs.js';
import { verdictOf, waiting } from './state.js';
import { number, span, t } from './texts.js';

export function sentence(shape, look, title, ...below) {
  return h('div', { class: 'say' }, glyph(shape, { size: 40, look }), h('div', null, h('h1', null, title), h('p', null, below)));
}

export function verdict(cluster, stale) {
  const found = verdictOf(cluster, stale);
  const loss = found.lost?.[0].loss;
  const say = { calm, moving: underWay, lost, after, need, critical: whole, degraded: whole, stale: old, empty }[found.kind](
    found,
    cluster,
  );
  return h(
    'section',
    { key: 'verdict', class: `verdict is-verdict-${found.look}`, 'aria-label': t('nav.cluster') },
    sentence(found.glyph, found.look === 'stale' ? 'off' : found.look, ...say),
    factsOf(cluster, stale),
    loss?.bound && found.kind === 'lost' && loss.began ? phases(loss) : null,
  );
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
  return [
    t('verdict.calm'),
    t('verdict.calm.sub', { n: running }),
    off > 0 && ` ${t('verdict.calm.off', { n: off })}`,
    spare(),
    lastFailover(),
  ];
}

function lastFailover() {
  const last = facts.failovers?.at(-1);
  if (!last) return null;
  const passed = { age: span((now() - last.noticed_ms) / 1000, false) };
  const took = last.seconds.started;
  const text =
    took === null ? t('verdict.last.open', passed) : t('verdict.last', { ...passed, took: span(took), bound: span(last.bound_s) });
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
const empty = (found, { nodes }) => [
  t('verdict.empty'),
  t('verdict.empty.sub', { n: nodes.filter((node) => node.state === 'online').length }),
];

function old({ age: seconds }) {
  const left = Math.max(0, (known.retryAt - Date.now()) / 1000);
  return [
    t('verdict.stale', { age: span(seconds, false) }),
    t('verdict.stale.sub'),
    ' ',
    left > 0 && `${t('verdict.stale.retry', { left: span(left, false) })} `,
    h('button', { class: 'link', onclick: reconnect }, t('verdict.stale.now')),
  ];
}

function factsOf({ nodes, status }, stale) {
  const online = nodes.filter((node) => node.state === 'online' || node.state === 'maintenance').length;
  const { master, fencing } = status;
  const capacity = facts.capacity;
  const masterAge = master.timestamp ? (now() - master.timestamp * 1000) / 1000 : null;
  const spareNodes = capacity?.nodes ? t(capacity.is_whole ? 'fact.spare.n' : 'fact.spare.more', { n: capacity.nodes }) : t('fact.none');
  const rows = [
    ['nodes', t('fact.of', { n: online, all: nodes.length })],
    [
      'master',
      master.node
        ? [
            h('span', { class: 'mono' }, master.node),
            ' ',
            masterAge !== null && h('i', null, t('fact.ago', { age: span(Math.max(0, masterAge), false) })),
          ]
        : t('fact.none'),
    ],
    ['fencing', [glyph(fencing.state), ' ', word(fencing.state)]],
    ['spare', capacity ? (capacity.nodes ? spareNodes : h('b', { class: 'is-waiting' }, spareNodes)) : '–'],
  ];
  return h(
    'dl',
    { class: `facts ${stale ? 'stale' : ''}` },
    rows.map(([name, value]) => h('div', { key: name }, h('dt', null, t(`fact.${name}`)), h('dd', null, value))),
  );
}

/** A failover against its bound: what is done, and the latest moment of the end. */
function phases(loss) {
  const run = (now() - loss.began) / 1000;
  const steps = ['noticed', 'locked', 'placed', 'started'].map((name) => ({ name, at: loss.seconds[name] }));
  const next = steps.findIndex((step) => step.at === null || step.at === undefined);
  const x = (seconds) => Math.min(1000, Math.max(0, (seconds / loss.bound) * 1000)).toFixed(1);
  const label = t('phase.whole', { run: span(run), bound: span(loss.bound) });
  return h(
    'div',
    { class: 'phases' },
    h(
      'svg',
      {
        class: `bound ${run > loss.bound ? 'is-over' : ''}`,
        viewBox: '0 0 1000 16',
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': label,
      },
      h('path', { class: 'rail', d: 'M0 8h1000' }),
      h('path', { class: 'run', d: `M0 8h${x(run)}` }),
      steps.filter((step) => step.at > 0).map((step) => h('path', { class: 'at', key: step.name, d: `M${x(step.at)} 1v14` })),
      h('path', { class: 'end', d: 'M998.5 0v16' }),
    ),
    h(
      'ol',
      null,
      steps.map((step, i) => {
        const isDone = step.at !== null && step.at !== undefined;
        return h(
          'li',
          { class: isDone ? 'is-done' : i === next ? 'is-next' : '' },
          glyph(isDone ? 'ok' : i === next ? 'starting' : 'queued', { look: isDone ? 'well' : i === next ? 'moving' : 'off' }),
          t(`phase.${step.name}`),
          isDone && h('i', null, t('phase.at', { at: span(step.at) })),
        );
      }),
      h('li', { class: 'limit' }, label),
    ),
  );
}
