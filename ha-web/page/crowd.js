// Ten thousand services: a tile a node, a square a service, and a list of which only what can be seen is there.

import { chip } from './chip.js';
import { h, kept } from './dom.js';
import { family, glyph, word } from './glyphs.js';
import { rank } from './state.js';
import { number, percent, t } from './texts.js';
import { virtual } from './virtual.js';

/** Nodes as tiles, and the services of a list under its title. */
export function crowd(nodes, list, title, isOld, redraw) {
  const sorted = [...list].sort((one, other) => rank(one) - rank(other));
  const row = (service) => h('li', { key: service.sid }, chip(service, { hasNode: true }));
  const tiles = h('ul', { class: 'tiles', 'aria-label': t('nav.nodes') }, nodes.map(tile));
  const roll = h('section', { class: 'roll', 'aria-label': title }, h('h2', null, title), virtual('roll', sorted, row, redraw));
  return [
    h('div', { key: 'crowd', class: `crowd ${isOld ? 'stale' : ''}` }, tiles, roll),
    h('p', { key: 'hint', class: 'hint' }, t('crowd.hint')),
  ];
}

function tile(node) {
  const counts = { trouble: 0, waiting: 0, moving: 0, held: 0, well: 0, off: 0 };
  for (const service of node.services) counts[service.look] += 1;
  const mark = [
    node.state,
    node.master,
    node.loss ? 1 : 0,
    ...Object.values(counts),
    node.load && Math.round((node.load.memory / node.load.max_memory) * 100),
    document.documentElement.lang,
  ].join('|');
  return kept(`tile ${node.name}`, mark, () => {
    const paths = Object.fromEntries(Object.keys(counts).map((look) => [look, '']));
    const sorted = [...node.services].sort((one, other) => rank(one) - rank(other));
    sorted.forEach((service, i) => {
      const [x, y] = [(i % 20) * 6, Math.floor(i / 20) * 6];
      paths[service.look] +=
        service.look === 'trouble'
          ? `M${x + 2} ${y - 0.5}l3 5h-6z`
          : service.look === 'moving'
            ? `M${x} ${y - 0.5}l4.5 2.5-4.5 2.5z`
            : service.look === 'off'
              ? `M${x + 0.5} ${y + 0.5}h3v3h-3z`
              : `M${x} ${y}h4v4h-4z`;
    });
    const height = Math.max(1, Math.ceil(sorted.length / 20)) * 6;
    const problem = counts.trouble + counts.waiting;
    return h(
      'li',
      { class: `tile is-node-${node.state} ${node.loss ? 'is-lost' : ''}` },
      h(
        'h2',
        null,
        glyph(node.state, { name: word(node.state), look: node.loss ? 'trouble' : undefined }),
        h('a', { class: 'mono', href: `#/node/${encodeURIComponent(node.name)}` }, node.name),
        h('b', null, number(sorted.length)),
      ),
      h(
        'svg',
        { viewBox: `-1 -1 122 ${height + 2}`, 'aria-hidden': 'true' },
        Object.entries(paths)
          .filter(([, d]) => d)
          .map(([look, d]) => h('path', { key: look, class: `cell-${look}`, d })),
      ),
      h(
        'p',
        null,
        problem > 0 && h('span', { class: 'is-trouble' }, glyph('error'), number(problem)),
        counts.moving > 0 && h('span', { class: 'is-moving' }, glyph('migrate'), number(counts.moving)),
        node.state !== 'online'
          ? h('span', { class: `is-${family(node.state)}` }, word(node.state))
          : !problem && node.load && h('i', null, `${t('node.memory')} ${percent(node.load.memory / node.load.max_memory)}`),
      ),
    );
  });
}
