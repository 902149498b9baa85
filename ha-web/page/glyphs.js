// Every state has a shape of its own, so that it can be told without colour. The colour is that of its family.

import { h } from './dom.js';
import { has, t } from './texts.js';

const line = (d) => ['path', { d, class: 'line' }];
const bold = (d) => ['path', { d, class: 'line bold' }];
const full = (d) => ['path', { d, class: 'full' }];
const hole = (d) => ['path', { d, class: 'hole' }];
const disc = (cx, cy, r) => ['circle', { cx, cy, r, class: 'full' }];
const ring = (r, dashes) => ['circle', { cx: 8, cy: 8, r, class: 'line', 'stroke-dasharray': dashes }];
const SQUARE = 'M3.5 3.5h9v9h-9z';
const SHIELD = 'M8 1.6l5.4 2v4.2c0 3.1-2.2 5.2-5.4 6.5-3.200-1.300-5.400-3.400-5.400-6.500V3.600z';
const QUESTION = 'M6.200 6.400a1.900 1.900 0 1 1 2.600 1.800c-.6.300-.8.600-.8 1.200M8 11.200v.8';

const SHAPES = {
  started: [disc(8, 8, 5)],
  starting: [ring(4.8), full('M8 3.200a4.800 4.800 0 0 1 0 9.600z')],
  queued: [disc(3, 8, 1.6), disc(8, 8, 1.6), disc(13, 8, 1.6)],
  stopped: [line(SQUARE)],
  stopping: [line(SQUARE), full('M3.500 8h9v4.500h-9z')],
  disabled: [line(SQUARE), line('M3.500 12.500l9-9')],
  ignored: [ring(4.8, '2 2')],
  migrate: [bold('M2.500 3.500L7 8l-4.500 4.500M8.500 3.500L13 8l-4.500 4.500')],
  relocate: [bold('M3 2.500v6h9M8.500 5L12 8.500 8.500 12')],
  fence: [full('M5.500 2h5L14 5.500v5L10.500 14h-5L2 10.500v-5z'), hole('M4.800 8h6.400')],
  recovery: [bold('M12.600 6A5 5 0 1 0 13 9'), bold('M13.500 2.500v4h-4')],
  freeze: [bold('M8 2v12M2.800 5l10.400 6M13.200 5L2.800 11')],
  error: [['path', { d: 'M8 1.500L15 14H1zM7.100 6v4h1.800V6zM7.100 11v1.800h1.800V11z', class: 'full', 'fill-rule': 'evenodd' }]],
  clearing: [line('M8 2.500l6 11H2z')],
  notfound: [ring(6, '2 1.600'), line(QUESTION)],
  deleting: [bold('M3.500 3.500l9 9M12.500 3.500l-9 9')],
  maintenance: [line('M8 1.800L14.200 8 8 14.200 1.800 8z'), disc(8, 8, 1.8)],
  unknown: [ring(6), line(QUESTION)],
  gone: [ring(5.5, '1.500 2.500')],
  armed: [full(SHIELD), hole('M5.300 7.800l2 2 3.500-3.800')],
  standby: [line(SHIELD)],
  released: [line(SHIELD), line('M2.500 13.500l11-11')],
  ok: [bold('M2.500 8.500L6 12l7.500-8')],
  no: [bold('M3.500 3.500l9 9M12.500 3.500l-9 9')],
  info: [ring(6.2), line('M8 7.200v4M8 4.500v1.200')],
  lock: [line('M3.500 7h9v6.500h-9z'), line('M5.500 7V5a2.500 2.500 0 0 1 5 0v2')],
  together: [line('M5.500 5h-1a3 3 0 0 0 0 6h1M10.500 5h1a3 3 0 0 1 0 6h-1M5 8h6')],
  apart: [line('M2 8h3M2 8l1.500-1.500M2 8l1.500 1.500M14 8h-3M14 8l-1.500-1.500M14 8l-1.500 1.500M8 2.500v11')],
  order: [line('M2 8h9M8 5l3 3-3 3M13.500 3v10')],
  pin: [line('M8 14.500S3.500 9.800 3.500 6.300a4.500 4.500 0 0 1 9 0c0 3.500-4.500 8.200-4.500 8.200z'), disc(8, 6.3, 1.5)],
  search: [['circle', { cx: 7, cy: 7, r: 4.5, class: 'line' }], line('M10.500 10.500L14 14')],
  close: [line('M4 4l8 8M12 4l-8 8')],
  theme: [ring(5.5), full('M8 2.500a5.500 5.500 0 0 1 0 11z')],
  cluster: [line('M2.500 2.500h4v4h-4zM9.500 2.500h4v4h-4zM2.500 9.500h4v4h-4zM9.500 9.500h4v4h-4z')],
  services: [line('M2 4h12M2 8h12M2 12h12')],
  rules: [line('M2 8h3M14 8h-3M8 2.500v11M4 6L2 8l2 2M12 6l2 2-2 2')],
  nodes: [line('M2.500 2.500h11V7h-11zM2.500 9h11v4.500h-11zM5 4.700h1M5 11.200h1')],
  history: [line('M3.200 5.500A5.500 5.500 0 1 1 2.500 8M2.500 2.500V6H6'), line('M8 5v3.300l2.200 1.300')],
  person: [line('M3 14c0-3 2.200-4.500 5-4.500s5 1.500 5 4.500'), ['circle', { cx: 8, cy: 5, r: 2.8, class: 'line' }]],
};

const FAMILIES = {
  well: ['started', 'online', 'armed', 'ok'],
  moving: ['starting', 'queued', 'stopping', 'migrate', 'relocate', 'clearing', 'deleting', 'joining', 'going_down'],
  waiting: ['unknown', 'not_ready', 'recovery', 'lock', 'silent', 'disarming', 'waiting'],
  trouble: ['fence', 'error', 'notfound', 'no', 'not_understood', 'to_be_fenced'],
  held: ['freeze', 'maintenance', 'released', 'disarmed'],
};
const FAMILY_OF = new Map(Object.entries(FAMILIES).flatMap(([family, states]) => states.map((state) => [state, family])));
/** States of nodes and of fencing that look like another state. */
const LOOKS_LIKE = {
  online: 'started',
  joining: 'starting',
  waiting: 'order',
  going_down: 'stopping',
  silent: 'unknown',
  to_be_fenced: 'fence',
  never_seen: 'gone',
  no_member: 'gone',
  not_understood: 'notfound',
  not_ready: 'unknown',
  disarmed: 'released',
  disarming: 'released',
};

/** The family of a state: well, moving, waiting, trouble, held or off. */
export const family = (state) => FAMILY_OF.get(state) ?? 'off';

/** The shape of a state. With a name it speaks for itself; without one the word stands beside it. */
export function glyph(state, { name, look = family(state), size = 16 } = {}) {
  const said = name ? { role: 'img', 'aria-label': name } : { 'aria-hidden': 'true' };
  const shape = SHAPES[state] ?? SHAPES[LOOKS_LIKE[state]] ?? SHAPES.info;
  const props = { class: `glyph ${look ? `is-${look}` : ''}`, width: size, height: size, viewBox: '0 0 16 16', ...said };
  return h(
    'svg',
    props,
    shape.map(([tag, attributes]) => h(tag, attributes)),
  );
}

/** The word of a state in the language of who reads it; one that is not known as it is. */
export const word = (state) => (has(`state.${state}`) ? t(`state.${state}`) : state.replaceAll('_', ' '));

export const stateWord = (state) => h('span', { class: `state is-${family(state)}` }, glyph(state), word(state));
