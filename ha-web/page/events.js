// Entries of the history, a line each.

import { h } from './dom.js';
import { glyph } from './glyphs.js';
import { currentLanguage, t, when } from './texts.js';

const SHAPES = { error: ['error', 'trouble'], warning: ['info', 'waiting'], notice: ['info', 'moving'], info: ['queued', 'off'] };

/** Entries of a service or a node, with the way to all that is kept of it. */
export const eventsOf = (entries, looked) => [
  eventList(entries),
  h('p', null, h('a', { href: `#/history?${new URLSearchParams(looked)}` }, t('history.of'))),
];

/** Entries, as they are given. */
export function eventList(entries) {
  if (!entries.length) return h('p', { class: 'hint' }, t('event.none'));
  return h('ol', { class: 'events' }, entries.map(eventRow));
}

function eventRow(entry) {
  const [shape, look] = SHAPES[entry.severity] ?? SHAPES.info;
  const time = Date.parse(entry.time);
  return h(
    'li',
    { key: entry.id },
    h('time', { datetime: entry.time, class: 'mono' }, when(time, true)),
    glyph(shape, { look }),
    h('span', { class: 'source mono' }, `${entry.node}/${entry.source}`),
    h(
      'span',
      { lang: 'en' },
      entry.text ?? entry.event,
      entry.why && h('details', { class: 'why' }, h('summary', { lang: currentLanguage() }, t('event.why')), h('pre', { tabindex: 0 }, entry.why.text)),
    ),
  );
}
