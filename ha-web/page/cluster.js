// Cluster: what runs where, what is wrong, what is under way and until when.

import { chip, ghost } from './chip.js';
import { crowd, groupTile, nodeTile } from './crowd.js';
import { $, h, kept } from './dom.js';
import { facts } from './facts.js';
import { age, isStale, known, now } from './feed.js';
import { family, glyph, word } from './glyphs.js';
import { problemsOf, rank, understand, waiting } from './state.js';
import { has, number, parts, percent, span, t, when } from './texts.js';
import { sentence, verdict } from './verdict.js';

/** What is chosen on this page; it stays while the page is open. */
const choice = { filter: '', attention: null, by: 'node', open: new Set() };
/** More nodes or services than that are a crowd: a tile a node, a square a service. */
const MOST_COLUMNS = 8;
const MOST_CHIPS = 300;
const narrow = matchMedia('(max-width: 640px)');

export function clusterPage(redraw) {
  if (!known.status)
    return h('section', { key: 'first', class: 'verdict' }, sentence('unknown', 'off', t('verdict.first'), t('verdict.first.sub')));
  const cluster = understand(known.status, facts.timings);
  const stale = isStale() ? age() : 0;
  const isCrowd = cluster.nodes.length > MOST_COLUMNS || cluster.services.length > MOST_CHIPS;
  return [
    verdict(cluster, stale),
    problems(cluster, isCrowd ? 3 : 12),
    cluster.services.length > 0 && tools(redraw),
    stale > 0 && h('p', { key: 'seen', class: 'seen' }, glyph('history', { look: '' }), t('seen', { when: when(known.at + known.skew) })),
    isCrowd ? crowdOf(cluster, stale, redraw) : columns(cluster, stale, redraw),
    cluster.services.length > 0 && legend(),
  ];
}

// What a person should look at.

function problems(cluster, most) {
  const list = problemsOf(cluster);
  if (!list.length) return null;
  return h(
    'section',
    { key: 'problems', class: 'problems', 'aria-labelledby': 'problems' },
    h('h2', { id: 'problems', class: 'vh' }, t('problem.head')),
    h('ul', null, list.slice(0, most).map(problem)),
    list.length > most && h('p', { class: 'hint' }, t('problem.more', { n: list.length - most })),
  );
}

function problem(one) {
  const { service, node } = one;
  const title = service
    ? parts('problem.service', { sid: h('span', { class: 'mono' }, service.sid), state: word(service.state) })
    : node
      ? parts('problem.node', { node: h('span', { class: 'mono' }, node.name), state: word(node.state) })
      : one.text;
  const why = service ? service.reason : node?.text;
  const to = service ? `#/service/${encodeURIComponent(service.sid)}` : node ? `#/node/${encodeURIComponent(node.name)}` : null;
  const advice = one.advice ?? service?.advice;
  return h(
    'li',
    { key: one.key, class: `is-problem-${one.health === 'critical' ? 'trouble' : one.look}` },
    glyph(one.state, { look: one.health === 'critical' ? 'trouble' : one.look, size: 20 }),
    h(
      'div',
      { class: 'what' },
      h('h3', null, title, service?.comment && h('span', { class: 'comment' }, ` ${service.comment}`)),
      why && h('p', { lang: 'en' }, why),
    ),
    advice &&
      h(
        'dl',
        null,
        h(
          'div',
          null,
          h('dt', null, t('problem.you')),
          h('dd', null, has(`advice.${advice.code}`) ? t(`advice.${advice.code}`) : advice.text),
        ),
      ),
    h(
      'div',
      { class: 'do' },
      service?.since_ms &&
        h('i', null, t('problem.since', { when: when(service.since_ms), age: span((now() - service.since_ms) / 1000, false) })),
      to && h('a', { class: 'button', href: to }, t('problem.show')),
    ),
  );
}

function tools(redraw) {
  const attention = choice.attention ?? false;
  const groups = ['node', 'state', 'type'];
  return h(
    'div',
    { key: 'tools', class: 'tools' },
    h(
      'label',
      { class: 'field grow' },
      glyph('search', { look: '' }),
      h('input', {
        id: 'filter',
        type: 'search',
        placeholder: t('tool.filter'),
        'aria-label': t('tool.filter'),
        autocomplete: 'off',
        spellcheck: 'false',
        oninput: (event) => {
          choice.filter = event.target.value.trim().toLowerCase();
          redraw();
        },
      }),
      h('kbd', { 'aria-hidden': 'true' }, 'f'),
    ),
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'checkbox',
        id: 'attention',
        checked: attention,
        onchange: (event) => {
          choice.attention = event.target.checked;
          redraw();
        },
      }),
      t('tool.attention'),
    ),
    h(
      'label',
      { class: 'pick' },
      t('tool.group'),
      h(
        'select',
        {
          id: 'group',
          onchange: (event) => {
            choice.by = event.target.value;
            redraw();
          },
        },
        groups.map((by) => h('option', { value: by, key: by, selected: by === choice.by }, t(`tool.by.${by}`))),
      ),
    ),
  );
}

const matches = (service) =>
  (!choice.filter ||
    `${service.sid} ${service.comment ?? ''} ${service.node ?? ''} ${word(service.state)}`.toLowerCase().includes(choice.filter)) &&
  !(choice.attention && service.isCalm);

// A column a node, or a group.

function columns(cluster, stale, redraw) {
  const isByNode = choice.by === 'node';
  const nodes = narrow.matches ? [...cluster.nodes].sort((one, other) => isWell(one) - isWell(other)) : cluster.nodes;
  const list = isByNode ? [...nodes.map((node) => column(node, cluster, redraw)), homeless(cluster)] : groups(cluster);
  return h(
    'div',
    { key: 'columns', class: `columns has-${Math.min(nodes.length, 8)} ${stale ? 'stale' : ''} ${isByNode ? '' : 'by'}` },
    list,
  );
}

const isWell = (node) => (node.state === 'online' && !node.loss ? 1 : 0);

function column(node, cluster, redraw) {
  const shown = node.services.filter(matches);
  const calmCount = shown.filter((service) => service.isCalm).length;
  const isOpen = choice.open.has(node.name);
  const ghosts = (node.loss?.moved ?? []).filter(
    (moved) => moved.to && moved.to !== node.name && !node.services.some((service) => service.sid === moved.sid),
  );
  const toggle = () => {
    if (!choice.open.delete(node.name)) choice.open.add(node.name);
    redraw();
  };
  const nothing =
    !shown.length && !ghosts.length && h('li', { class: 'none' }, t(node.state === 'maintenance' ? 'node.takes.none' : 'node.none'));
  return h(
    'section',
    {
      key: `node ${node.name}`,
      class: `column is-node-${node.state} ${node.loss ? 'is-lost' : ''} ${isOpen ? 'is-open' : ''}`,
      'aria-label': node.name,
    },
    header(node),
    calmCount > 0 &&
      h(
        'button',
        { class: 'fold', 'aria-expanded': String(isOpen), onclick: toggle },
        glyph('started'),
        h('span', null, t('node.calm', { n: calmCount })),
        h('em', null, t(isOpen ? 'node.fold' : 'node.show')),
      ),
    h(
      'ul',
      { class: 'chips' },
      shown.map((service) => chipRow(service, node)),
      ghosts.map(ghost),
      nothing,
    ),
  );
}

function header(node) {
  const state = node.loss?.isFailover && !node.loss.isDown ? 'to_be_fenced' : node.state;
  const said = node.fenced_ms ? t('state.fenced') : word(state);
  return h(
    'header',
    null,
    h(
      'h2',
      null,
      glyph(state, { name: node.state === 'online' ? word(state) : undefined, look: node.loss ? 'trouble' : family(state) }),
      h('a', { class: 'mono', href: `#/node/${encodeURIComponent(node.name)}` }, node.name),
      node.master && h('small', null, t('node.master')),
      node.state !== 'online' && h('small', { class: `is-${node.loss ? 'trouble' : family(state)}` }, said),
    ),
    node.loss
      ? lossHead(node)
      : [
          node.load && meter(t('node.cpu'), node.load.cpu, node.load.max_cpu),
          node.load && meter(t('node.memory'), node.load.memory, node.load.max_memory),
          h(
            'p',
            { class: 'guard' },
            glyph(node.watchdog === 'active' ? 'armed' : node.watchdog),
            t(`node.guard.${node.watchdog}`),
            node.last_seen && `, ${t('node.seen', { age: span((now() - node.last_seen * 1000) / 1000, false) })}`,
          ),
        ],
    node.hold &&
      h(
        'p',
        { class: 'note' },
        t(node.hold.until ? 'node.hold' : 'node.hold.back', {
          left: span(node.hold.until ? Math.max(node.hold.until - now() / 1000, 0) : node.hold.left, false),
        }),
      ),
    node.maintenance &&
      h(
        'p',
        { class: 'note' },
        t(node.maintenance.since ? 'node.asked.since' : 'node.asked', {
          who: node.maintenance.by ?? t('node.somebody'),
          age: node.maintenance.since ? span((now() - node.maintenance.since * 1000) / 1000, false) : '',
        }),
      ),
  );
}

/** A node that is lost: until when what may still run there, and when its services run again. */
function lossHead(node) {
  const { loss } = node;
  const run = (now() - loss.began) / 1000;
  const left = waiting(loss, node);
  const deadline = (text, seconds) => h('p', { class: 'deadline' }, h('i', null, text), h('b', null, span(Math.max(0, seconds))));
  if (node.fenced_ms && !left)
    return h(
      'p',
      { class: 'guard' },
      glyph('released', { look: 'off' }),
      t('node.fenced', { age: span((now() - node.fenced_ms) / 1000, false) }),
    );
  if (loss.isDown) {
    const rest = loss.bound - run;
    return [
      left > 0 && (rest > 0 ? deadline(t('node.back'), rest) : h('p', { class: 'note' }, t('node.over', { age: span(-rest, false) }))),
      h('p', { class: 'guard' }, glyph('released', { look: 'off' }), t('node.down')),
    ];
  }
  const reset = (loss.reset ?? 0) - run;
  return [
    reset > 0 ? deadline(t('node.reset'), reset) : h('p', { class: 'guard' }, glyph('standby'), t('node.proof')),
    left > 0 && h('p', { class: 'note' }, t('node.maybe', { n: left, node: node.name })),
  ];
}

function meter(label, used, most) {
  if (!(most > 0)) return null;
  const share = Math.min(1, Math.max(0, used / most));
  const ticks = 32;
  const on = Math.round(share * ticks);
  const path = (from, to) => Array.from({ length: to - from }, (_, i) => `M${(from + i) * 4 + 1} 0v8`).join('');
  return h(
    'div',
    { class: 'meter' },
    h('span', null, label),
    h(
      'svg',
      { viewBox: `0 0 ${ticks * 4} 8`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      h('path', { d: path(on, ticks) }),
      h('path', { class: 'on', d: path(0, on) }),
    ),
    h('b', null, percent(share)),
  );
}

function chipRow(service, node) {
  const loss = node?.loss && !node.loss.isDown ? node.loss : null;
  const target = loss ? facts.targets.get(node.name)?.get(service.sid) : undefined;
  const mark = [
    service.state,
    service.isCalm,
    service.reason,
    service.comment,
    service.target,
    service.from,
    service.lock,
    loss ? 1 : 0,
    String(target),
    choice.by,
    service.node,
    document.documentElement.lang,
  ].join('|');
  return kept(service.sid, mark, () =>
    h('li', { class: service.isCalm && !loss ? 'is-calm' : '' }, chip(service, { loss, target, hasNode: choice.by !== 'node' })),
  );
}

function homeless({ homeless: services }) {
  const shown = services.filter(matches);
  if (!shown.length) return null;
  return h(
    'section',
    { key: 'homeless', class: 'column', 'aria-label': t('chip.homeless') },
    h('header', null, h('h2', null, glyph('gone'), t('chip.homeless'))),
    h(
      'ul',
      { class: 'chips' },
      shown.map((service) => chipRow(service)),
    ),
  );
}

/** Services by their state or their type, those that need somebody first. */
function grouped(services) {
  const keyOf = choice.by === 'state' ? (service) => service.state : (service) => service.sid.split(':')[0];
  const found = new Map();
  for (const service of services) {
    const own = found.get(keyOf(service));
    if (own) own.push(service);
    else found.set(keyOf(service), [service]);
  }
  return [...found].sort(([, [one]], [, [other]]) => rank(one) - rank(other));
}

function groups({ services }) {
  const list = grouped(services.filter(matches));
  if (!list.length) return h('p', { class: 'none' }, t('tool.nothing'));
  return list.map(([name, own]) =>
    h(
      'section',
      { key: `group ${name}`, class: 'column is-open', 'aria-label': name },
      h(
        'header',
        null,
        h(
          'h2',
          null,
          choice.by === 'state' ? [glyph(name), word(name)] : h('span', { class: 'mono' }, name),
          h('small', null, number(own.length)),
        ),
      ),
      h(
        'ul',
        { class: 'chips' },
        own.map((service) => chipRow(service)),
      ),
    ),
  );
}

function legend() {
  const states = [
    'started',
    'starting',
    'stopping',
    'stopped',
    'disabled',
    'migrate',
    'relocate',
    'fence',
    'recovery',
    'freeze',
    'error',
    'maintenance',
    'unknown',
  ];
  return h(
    'details',
    { key: 'legend', class: 'legend' },
    h('summary', null, t('legend')),
    h(
      'ul',
      null,
      states.map((state) => h('li', { key: state }, glyph(state), word(state))),
    ),
  );
}

export const focusFilter = () => $('#filter')?.focus();

function crowdOf(cluster, stale, redraw) {
  const list = listOf(cluster);
  const title = t(isShort() ? 'crowd.attention' : 'crowd.list', { n: list.length });
  return crowd(tiles(cluster, redraw), choice.by, list, title, stale > 0, redraw);
}

/** As long as nobody looks for something, a crowd lists what is not as asked. */
const isShort = () => choice.attention ?? !choice.filter;

let listed = {};

/** The services of the list, those that need somebody first. It is drawn with every step of scrolling, so it is worked out once. */
function listOf(cluster) {
  const mark = [choice.filter, choice.attention, document.documentElement.lang].join('|');
  if (listed.cluster !== cluster || listed.mark !== mark) {
    const isListed = (service) => (!choice.filter || matches(service)) && !(isShort() && service.isCalm);
    const list = cluster.services.filter(isListed).sort((one, other) => rank(one) - rank(other));
    listed = { cluster, mark, list };
  }
  return listed.list;
}

function tiles({ nodes, services }, redraw) {
  if (choice.by === 'node') return nodes.map(nodeTile);
  const isState = choice.by === 'state';
  return grouped(services).map(([name, own]) => {
    const label = isState ? word(name) : name;
    const look = () => {
      const text = isState ? label : `${name}:`;
      $('#filter').value = text;
      choice.filter = text.toLowerCase();
      redraw();
    };
    return groupTile(name, label, isState && glyph(name), own, look);
  });
}
