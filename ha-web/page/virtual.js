// A list of which only what can be seen is in the document, however long it is.

import { h } from './dom.js';

const scrolled = new Map();

/** A list with rows of one height. It is drawn again as it is scrolled. */
export function virtual(name, rows, row, redraw) {
  const height = matchMedia('(pointer: coarse), (max-width: 640px)').matches ? 38 : 30;
  const view = 640;
  const most = Math.max(0, rows.length * height - view);
  const top = Math.min(scrolled.get(name) ?? 0, most);
  const first = Math.max(0, Math.floor(top / height) - 8);
  const last = Math.min(rows.length, Math.ceil((top + view) / height) + 8);
  const onscroll = (event) => {
    scrolled.set(name, event.target.scrollTop);
    redraw();
  };
  return h(
    'div',
    { class: 'virtual', tabindex: 0, role: 'group', onscroll },
    h(
      'ul',
      { class: 'chips one-line', sizes: { before: `${first * height}px`, after: `${(rows.length - last) * height}px` } },
      rows.slice(first, last).map(row),
    ),
  );
}
