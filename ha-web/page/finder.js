// Finds whatever has a name.

import { $, $$, h, show } from './dom.js';
import { facts } from './facts.js';
import { known } from './feed.js';
import { glyph } from './glyphs.js';
import { understand } from './state.js';
import { t } from './texts.js';

const MOST = 9;
let found = [];
let picked = 0;

function everything(pages) {
  const { services, nodes } = known.status ? understand(known.status, facts.timings) : { services: [], nodes: [] };
  return [
    ...pages.map((page) => ({ shape: page.shape, name: page.name, about: t('find.page'), to: page.to })),
    ...services.map((service) => ({
      shape: service.state,
      name: service.sid,
      about: [service.comment, service.node].filter(Boolean).join(' · '),
      to: `#/service/${encodeURIComponent(service.sid)}`,
    })),
    ...nodes.map((node) => ({ shape: node.state, name: node.name, about: t('find.node'), to: `#/node/${encodeURIComponent(node.name)}` })),
  ];
}

export function openFinder(pages) {
  const dialog = $('#dialog');
  const all = everything(pages);
  const search = () => {
    const words = ($('#find-text')?.value ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    found = all.filter((one) => words.every((word) => `${one.name} ${one.about}`.toLowerCase().includes(word))).slice(0, MOST);
    picked = 0;
    draw();
  };
  const go = (to) => {
    dialog.close();
    if (to) location.hash = to;
  };
  const onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) picked = Math.max(0, Math.min(found.length - 1, picked + step));
    else if (event.key === 'Enter') go(found[picked]?.to);
    else return;
    event.preventDefault();
    draw();
  };
  const draw = () =>
    show(
      dialog,
      h(
        'div',
        { class: 'finder' },
        h(
          'header',
          null,
          h('h2', { id: 'dialog-title', class: 'vh' }, t('head.find')),
          glyph('search', { look: '' }),
          h('input', {
            id: 'find-text',
            role: 'combobox',
            'aria-expanded': 'true',
            'aria-controls': 'hits',
            'aria-activedescendant': found.length ? `hit-${picked}` : null,
            'aria-label': t('head.find'),
            placeholder: t('head.find'),
            autocomplete: 'off',
            spellcheck: 'false',
            oninput: search,
            onkeydown,
          }),
          h('button', { class: 'icon', 'aria-label': t('key.close'), onclick: () => dialog.close() }, glyph('close', { look: '' })),
        ),
        h(
          'ul',
          { id: 'hits', role: 'listbox', 'aria-label': t('find.hits') },
          found.map((one, i) =>
            h(
              'li',
              { key: one.to, id: `hit-${i}`, role: 'option', 'aria-selected': String(i === picked), onclick: () => go(one.to) },
              glyph(one.shape),
              h('b', { class: 'mono' }, one.name),
              h('span', null, one.about),
            ),
          ),
        ),
        !found.length && h('p', { class: 'none' }, t('find.none')),
      ),
    );
  show(dialog);
  search();
  dialog.showModal();
  $('#find-text').focus();
}

export const isOpen = () => $$('dialog[open]').length > 0;
