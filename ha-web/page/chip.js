// A service. As asked: one quiet line. Otherwise: tinted, with its word and the reason.

import { h } from './dom.js';
import { glyph, word } from './glyphs.js';
import { short, t } from './texts.js';

export function chip(service, { loss = null, target, hasNode = false } = {}) {
  const { sid, state, comment } = service;
  const isDoubtful = loss && QUIET_ON_LOSS.has(state);
  const isCalm = service.isCalm && !loss && !service.from;
  const look = isDoubtful ? 'waiting' : service.look;
  const reason = reasonOf(service);
  const side = isDoubtful
    ? h(
        'em',
        { class: target === null ? 'is-waiting' : 'then' },
        target === null ? t('chip.nowhere') : target ? t('chip.then', { node: target }) : word('unknown'),
      )
    : !isCalm && h('em', { class: `is-${look}` }, word(state));
  return h(
    'a',
    {
      class: `chip ${isCalm ? '' : `tint-${look}`}`,
      'data-sid': sid,
      href: `#/service/${encodeURIComponent(sid)}`,
      title: [sid, comment, word(state)].filter(Boolean).join(' · '),
    },
    glyph(isDoubtful ? 'unknown' : state, { name: isCalm ? word(state) : undefined, look }),
    h('b', { class: 'mono' }, short(sid)),
    h('span', null, comment ?? ''),
    side,
    hasNode && h('em', { class: 'then mono' }, service.node ?? ''),
    !isCalm && !isDoubtful && reason && h('i', null, reason),
  );
}

const QUIET_ON_LOSS = new Set(['started', 'stopped', 'disabled', 'fence']);

function reasonOf(service) {
  if (service.state === 'fence') return null;
  if (service.lock) return t('chip.lock', { lock: service.lock });
  if (service.target) return t('chip.to', { node: service.target });
  if (service.from) return t('chip.from', { node: service.from });
  return service.reason && h('span', { lang: 'en' }, service.reason);
}

export function ghost(moved) {
  return h(
    'li',
    { key: `ghost ${moved.sid}`, class: 'is-ghost is-calm' },
    h(
      'span',
      { class: 'chip' },
      glyph('gone'),
      h('b', { class: 'mono' }, short(moved.sid, 18)),
      h('span', null, t('chip.left', { node: moved.to })),
    ),
  );
}
