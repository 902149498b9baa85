// Service: its state, why it is where it is, and what has happened to it.

import { serviceActions } from './actions.js';
import { get } from './api.js';
import { h, nothing } from './dom.js';
import { eventsOf } from './events.js';
import { known, now } from './feed.js';
import { glyph, stateWord, word } from './glyphs.js';
import { understand } from './state.js';
import { facts } from './facts.js';
import { has, span, t, when } from './texts.js';

/** What was asked about the service that is shown. */
let about = { sid: null, mark: '' };

export function servicePage(sid, redraw) {
  ask(sid, redraw);
  if (!known.status) return h('p', null, t('verdict.first'));
  const service = understand(known.status, facts.timings).services.find((one) => one.sid === sid);
  if (!service)
    return nothing(h('h1', { class: 'mono' }, sid), t('service.none'), '#/', t('nav.cluster'));
  const since = service.since_ms ? span((now() - service.since_ms) / 1000, false) : null;
  const values = { node: h('span', { class: 'mono' }, service.node ?? '–'), since };
  const [before, after] = t(since ? 'service.on.since' : 'service.on', { since }).split('{node}');
  return [
    h(
      'p',
      { key: 'crumbs', class: 'crumbs' },
      h('a', { href: '#/' }, t('nav.cluster')),
      ' / ',
      service.node ? h('a', { class: 'mono', href: `#/node/${encodeURIComponent(service.node)}` }, service.node) : '–',
    ),
    h(
      'section',
      { key: 'title', class: 'title' },
      h(
        'div',
        null,
        h('h1', null, h('span', { class: 'mono' }, sid), service.comment && h('small', null, ` ${service.comment}`)),
        h(
          'p',
          { class: 'now' },
          stateWord(service.state),
          before,
          values.node,
          after,
          service.requested && `, ${t('service.requested', { state: word(service.requested) })}`,
        ),
      ),
      serviceActions(service),
    ),
    (service.reason || service.advice) &&
      h(
        'section',
        { key: 'reason', class: `box tint-${service.look}` },
        service.reason && h('p', { lang: 'en' }, service.reason),
        service.advice &&
          h(
            'p',
            null,
            h('b', null, `${t('problem.you')}: `),
            has(`advice.${service.advice.code}`) ? t(`advice.${service.advice.code}`) : service.advice.text,
          ),
      ),
    h('div', { key: 'two', class: 'two' }, why(), settings(service)),
    h(
      'section',
      { key: 'history', class: 'box' },
      h('h2', null, t('service.history')),
      about.history ? eventsOf(about.history, { sid }) : h('p', { class: 'hint' }, '…'),
    ),
  ];
}

/** Asks what is not in the status, again whenever something has happened. */
async function ask(sid, redraw) {
  const mark = `${sid} ${known.status?.last_event ?? ''}`;
  if (mark === about.mark) return;
  about = about.sid === sid ? { ...about, mark } : { sid, mark };
  const path = `services/${encodeURIComponent(sid)}`;
  const [one, explained, history] = await Promise.allSettled([get(path), get(`${path}/explain`), get('history', { sid, limit: 60 })]);
  if (about.sid !== sid) return;
  about.one = one.value;
  about.explained = explained.value ?? { problem: explained.reason.message };
  about.history = history.value?.entries.toReversed() ?? [];
  redraw();
}

function why() {
  const { explained } = about;
  if (!explained) return h('section', { class: 'box' }, h('h2', null, t('service.why')), h('p', { class: 'hint' }, '…'));
  if (explained.problem) return h('section', { class: 'box' }, h('h2', null, t('service.why')), h('p', { lang: 'en' }, explained.problem));
  const { explanation, text, texts } = explained;
  // What was last decided about where it goes: as it is now, nothing may stand against it anywhere.
  const came = about.history?.find((entry) => entry.why);
  const otherwise = Object.entries(texts.otherwise).filter(([node]) => node !== explanation.answer);
  const rows = [...explanation.nodes].sort((one, other) =>
    one.node === explanation.node ? -1 : other.node === explanation.node ? 1 : (one.rank ?? 99) - (other.rank ?? 99),
  );
  return h(
    'section',
    { class: 'box' },
    h('h2', null, t('service.why')),
    h('p', { class: 'lead', lang: 'en' }, text),
    came && h('p', null, t('service.came', { when: when(Date.parse(came.time)) }), ' ', h('span', { lang: 'en' }, came.text)),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('service.why') },
      h(
        'table',
        { class: 'data' },
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            ['service.node', 'service.rank', 'service.fate'].map((key) => h('th', { scope: 'col', key }, t(key))),
          ),
        ),
        h(
          'tbody',
          null,
          rows.map((node) =>
            h(
              'tr',
              { key: node.node, class: node.node === explanation.node ? 'is-here' : '' },
              h(
                'th',
                { scope: 'row' },
                glyph(node.rank || node.node === explanation.answer ? 'ok' : 'no', {
                  look: node.rank || node.node === explanation.answer ? 'well' : 'off',
                }),
                ' ',
                h('span', { class: 'mono' }, node.node),
                node.node === explanation.node && h('small', null, ` ${t('service.here')}`),
              ),
              h('td', null, node.rank ?? ''),
              h('td', { lang: 'en' }, texts.nodes[node.node]),
            ),
          ),
        ),
      ),
    ),
    otherwise.length > 0 && [
      h('h3', null, t('service.otherwise')),
      h(
        'dl',
        { class: 'pairs wide' },
        otherwise.map(([node, changes]) =>
          h('div', { key: node }, h('dt', { class: 'mono' }, node), h('dd', { lang: 'en' }, changes.join('; ') || '–')),
        ),
      ),
    ],
  );
}

function settings(service) {
  const { one } = about;
  const set = one?.in_force ?? {};
  const pairs = [
    ['service.state', service.requested ? word(service.requested) : '–'],
    ['service.max_restart', set.max_restart],
    ['service.max_relocate', set.max_relocate],
    ['service.priority', set.priority || undefined],
    ['service.failure-timeout', set['failure-timeout'] ? span(set['failure-timeout']) : undefined],
    ['service.probe', set.probe ? h('span', { class: 'mono' }, set.probe) : undefined],
    ['service.on-failure', set.probe ? t(`on-failure.${set['on-failure']}`) : undefined],
    ['service.failback', set.failback === undefined ? undefined : t(set.failback ? 'yes' : 'no')],
    ['service.failback-delay', set['failback-delay'] ? span(set['failback-delay']) : undefined],
    ['service.balance', set['auto-rebalance'] === undefined ? undefined : t(set['auto-rebalance'] ? 'yes' : 'no')],
    ['service.group', one?.set?.group],
  ];
  return h(
    'section',
    { class: 'box' },
    h('h2', null, t('service.settings')),
    h(
      'dl',
      { class: 'pairs' },
      pairs
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => h('div', { key }, h('dt', null, t(key)), h('dd', null, value))),
    ),
    one?.rules?.length > 0 && [
      h('h2', null, t('service.rules')),
      h(
        'ul',
        { class: 'plain' },
        one.rules.map((rule) =>
          h(
            'li',
            { key: rule.rule },
            glyph(rule.in_force ? 'ok' : 'info', { look: rule.in_force ? 'well' : 'waiting' }),
            h(
              'span',
              null,
              h('a', { class: 'mono', href: `#/rules/${encodeURIComponent(rule.rule)}` }, rule.rule),
              ` ${rule.type}`,
              rule.problems.map((problem) => h('i', { lang: 'en' }, ` ${problem}`)),
            ),
          ),
        ),
      ),
    ],
  );
}
