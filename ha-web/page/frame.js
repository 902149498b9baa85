// The head of the page and its tabs: where one is, how fresh it is, and what is always at hand.

import { session } from './api.js';
import { $, h, show } from './dom.js';
import { age, isStale, known } from './feed.js';
import { glyph } from './glyphs.js';
import { currentLanguage, span, t } from './texts.js';

/** Draws it. `pages` are those that can be gone to, `current` the one that is shown, `acts` what the buttons do. */
export function drawFrame(pages, current, acts) {
  $('#skip').textContent = t('head.skip');
  const cluster = session?.cluster ?? '';
  const old = known.status && isStale() ? `(${t('head.old', { age: span(age(), false) })})` : '';
  document.title = [old, cluster, 'ha'].filter(Boolean).join(' ');
  const links = session ? pages.map((page) => link(page, current)) : [];
  show(
    $('#top'),
    h('a', { class: 'brand', href: '#/' }, h('b', null, 'ha'), h('span', { class: 'mono' }, cluster)),
    session && h('nav', { class: 'main', 'aria-label': t('nav.label') }, links),
    session ? freshness() : h('span', { class: 'live' }),
    session && finder(acts.find),
    languageButton(acts.language),
    button('theme', t('head.theme'), acts.theme, glyph('theme', { look: '' })),
    session && button('you', t('head.you', { name: session.name }), acts.logout, glyph('person', { look: '' })),
  );
  $('#tabs').hidden = !session;
  $('#tabs').setAttribute('aria-label', t('nav.label'));
  show($('#tabs'), links);
}

function link({ view, name, shape, to }, current) {
  const props = { key: view, href: to, 'aria-current': view === current ? 'page' : null };
  return h('a', props, glyph(shape, { look: '' }), h('span', null, name));
}

const button = (id, label, onclick, ...content) =>
  h('button', { key: id, id, class: 'icon', 'aria-label': label, title: label, onclick }, content);

function finder(onclick) {
  const props = { key: 'find', id: 'find', class: 'find', 'aria-label': t('head.find'), 'aria-keyshortcuts': '/', onclick };
  return h('button', props, glyph('search', { look: '' }), h('span', null, t('head.find')), h('kbd', null, '/'));
}

/** Its name is in the other language, for who reads that one. */
function languageButton(onclick) {
  const isChinese = currentLanguage() === 'zh';
  const other = button('language', t('head.language'), onclick, isChinese ? 'EN' : '中');
  return { ...other, props: { ...other.props, lang: isChinese ? 'en' : 'zh' } };
}

function freshness() {
  if (!known.status)
    return h(
      'span',
      { class: 'live is-old', id: 'live' },
      glyph('unknown', { look: 'waiting', size: 12 }),
      h('span', null, t('head.connecting')),
    );
  const isOld = isStale();
  return h(
    'span',
    { class: `live ${isOld ? 'is-old' : ''}`, id: 'live', title: t('head.age') },
    glyph(isOld ? 'unknown' : 'started', { look: isOld ? 'waiting' : 'well', size: 12 }),
    h('span', null, isOld ? t('head.old', { age: span(age(), false) }) : t('head.live')),
  );
}
