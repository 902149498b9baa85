// A picture of the rules: services on the left, the rules that bind them in the middle, nodes on the right.

import { h } from './dom.js';
import { kindOf, servicesOf } from './rule-editor.js';
import { t } from './texts.js';

/** More than a person can follow is left to the table. */
const MOST = 40;
const ROW = 30;
const WIDE = { width: 760, left: 150, middle: 270, box: 190, right: 600, most: 20 };
/** On a phone, so that its texts can be read. */
const NARROW = { width: 360, left: 84, middle: 112, box: 130, right: 266, most: 11 };
const narrow = matchMedia('(max-width: 640px)');
let size = WIDE;

export function ruleGraph(rules) {
  size = narrow.matches ? NARROW : WIDE;
  const all = [...new Set(rules.flatMap(servicesOf))].sort();
  const services = all.slice(0, MOST);
  const nodes = [...new Set(rules.flatMap((rule) => (rule.nodes ?? []).map(nameOf)))].sort();
  const rows = Math.max(services.length, rules.length, nodes.length);
  const height = rows * ROW + 20;
  /** Where the i-th of n stands, spread over the whole height. */
  const place = (i, n) => 10 + ((i + 0.5) * (rows * ROW)) / n;
  const serviceAt = new Map(services.map((sid, i) => [sid, place(i, services.length)]));
  const nodeAt = new Map(nodes.map((node, i) => [node, place(i, nodes.length)]));
  const said = rules.map((rule) => `${rule.rule}: ${servicesOf(rule).join(', ')} → ${(rule.nodes ?? []).join(', ') || t(`kind.${kindOf(rule)}`)}`);
  const label = `${t('graph.title')}: ${said.join('; ')}`;
  const drawn = rules.map((rule, i) => ruleShape(rule, place(i, rules.length), serviceAt, nodeAt));
  return h(
    'section',
    { key: 'graph', class: 'box', id: 'graph' },
    h('h2', null, t('graph.title')),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('graph.title') },
      h(
        'svg',
        { class: 'graph', viewBox: `0 0 ${size.width} ${height}`, role: 'img', 'aria-label': label },
        drawn,
        services.map((sid) => h('text', { key: sid, x: size.left - 8, y: serviceAt.get(sid) + 4, 'text-anchor': 'end' }, cut(sid))),
        nodes.map((node) => h('text', { key: `node ${node}`, x: size.right + 8, y: nodeAt.get(node) + 4 }, cut(node))),
      ),
    ),
    all.length > MOST && h('p', { class: 'hint' }, t('graph.more', { n: all.length - MOST })),
  );
}

/** A node may stand with its priority: `node1:2`. */
const nameOf = (text) => text.split(':')[0];
const cut = (name, most = size.most) => (name.length <= most ? name : `${name.slice(0, most - 1)}…`);

function ruleShape(rule, y, serviceAt, nodeAt) {
  const look = rule.disable || !rule.in_force ? 'is-off' : kindOf(rule) === 'negative' ? 'is-apart' : null;
  const line = (from, to, key) => {
    const half = (from.x + to.x) / 2;
    return h('path', { key, class: look, d: `M${from.x} ${from.y}C${half} ${from.y} ${half} ${to.y} ${to.x} ${to.y}` });
  };
  const services = servicesOf(rule).filter((sid) => serviceAt.has(sid));
  const toService = (sid) => line({ x: size.left, y: serviceAt.get(sid) }, { x: size.middle, y }, `from ${sid}`);
  const toNode = (node) => line({ x: size.middle + size.box, y }, { x: size.right, y: nodeAt.get(nameOf(node)) }, `to ${node}`);
  return h(
    'g',
    { key: `rule ${rule.rule}` },
    services.map(toService),
    (rule.nodes ?? []).map(toNode),
    h('rect', { class: 'rule', x: size.middle, y: y - 12, width: size.box, height: 24, rx: 3 }),
    h('text', { x: size.middle + size.box / 2, y: y + 4, 'text-anchor': 'middle' }, cut(rule.rule, size.most + 4)),
  );
}
