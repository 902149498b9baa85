// Ten thousand services: a tile a node, a square a service, and a list of which only what can be seen is there.

import { chip } from './chip.js';
import { h, kept } from './dom.js';
import { family, glyph, word } from './glyphs.js';
import { rank } from './state.js';
import { number, percent, t } from './texts.js';
import { virtual } from './virtual.js';

/** Tiles, and the services of a list under its title. */
export function crowd(tiles, kind, list, title, isOld, redraw) {
  const row = (service) => h('li', { key: service.sid }, chip(service, { hasNode: true }));
  const roll = h('section', { class: 'roll', 'aria-label': title }, h('h2', null, title), virtual('roll', list, row, redraw));
  return [
    h('div', { key: 'crowd', class: `crowd ${isOld ? 'stale' : ''}` }, h('ul', { class: `tiles by-${kind}`, 'aria-label': t(`tool.by.${kind}`) }, tiles), roll),
    h('p', { key: 'hint', class: 'hint' }, t('crowd.hint')),
  ];
}

const counted = new WeakMap();

/** How many of some services look how. */
function countsOf(services) {
  let counts = counted.get(services);
  if (counts) return counts;
  counts = { trouble: 0, waiting: 0, moving: 0, held: 0, well: 0, off: 0 };
  for (const service of services) counts[service.look] += 1;
  counted.set(services, counts);
  return counts;
}

/** A node, with a square for each of its services. */
export function nodeTile(node) {
  const counts = countsOf(node.services);
  const memory = node.load && node.load.memory / node.load.max_memory;
  const mark = [node.state, node.master, node.loss ? 1 : 0, ...Object.values(counts), memory && Math.round(memory * 100)];
  return kept(`tile ${node.name}`, [...mark, document.documentElement.lang].join('|'), () => {
    const state = glyph(node.state, { name: word(node.state), look: node.loss ? 'trouble' : undefined });
    const name = h('a', { class: 'mono', href: `#/node/${encodeURIComponent(node.name)}` }, node.name);
    const isCalm = node.state === 'online';
    const more = isCalm
      ? !counts.trouble && !counts.waiting && memory !== undefined && h('i', null, `${t('node.memory')} ${percent(memory)}`)
      : h('span', { class: `is-${family(node.state)}` }, word(node.state));
    return tile(`is-node-${node.state} ${node.loss ? 'is-lost' : ''}`, [state, name], node.services, counts, more);
  });
}

/** Services that are alike, with a square for each. `look` is called when a person wants to see them. */
export function groupTile(name, label, shape, services, look) {
  const counts = countsOf(services);
  return kept(`group ${name}`, [...Object.values(counts), document.documentElement.lang].join('|'), () =>
    tile('', [shape, h('button', { class: 'link', onclick: look }, label)], services, counts, null),
  );
}

function tile(state, head, services, counts, more) {
  const sorted = [...services].sort((one, other) => rank(one) - rank(other));
  const problem = counts.trouble + counts.waiting;
  return h(
    'li',
    { class: `tile ${state}` },
    h('h2', null, head, h('b', null, number(sorted.length))),
    squares(sorted),
    h(
      'p',
      null,
      problem > 0 && h('span', { class: 'is-trouble' }, glyph('error'), number(problem)),
      counts.moving > 0 && h('span', { class: 'is-moving' }, glyph('migrate'), number(counts.moving)),
      more,
    ),
  );
}

const SQUARES = {
  trouble: (x, y) => `M${x + 2} ${y - 0.5}l3 5h-6z`,
  moving: (x, y) => `M${x} ${y - 0.5}l4.5 2.5-4.5 2.5z`,
  off: (x, y) => `M${x + 0.5} ${y + 0.5}h3v3h-3z`,
};
const SQUARE = (x, y) => `M${x} ${y}h4v4h-4z`;

/** In a row of a tile, as long as there are not too many of them. */
const ROW = 20;

function squares(services) {
  const row = Math.max(ROW, Math.ceil(Math.sqrt(services.length)));
  const paths = new Map();
  services.forEach(({ look }, i) => {
    const one = (SQUARES[look] ?? SQUARE)((i % row) * 6, Math.floor(i / row) * 6);
    paths.set(look, (paths.get(look) ?? '') + one);
  });
  const height = Math.max(1, Math.ceil(services.length / row)) * 6;
  return h(
    'svg',
    { viewBox: `-1 -1 ${row * 6 + 2} ${height + 2}`, 'aria-hidden': 'true' },
    [...paths].map(([look, d]) => h('path', { key: look, class: `cell-${look}`, d })),
  );
}
