// Nodes: what guards each, how much it carries, maintenance, and HA as a whole.

import { arm, actButton, clearFencings, confirmFenced, disarm, maintenance } from './actions.js';
import { call, get, may } from './api.js';
import { chip } from './chip.js';
import { h, nothing } from './dom.js';
import { eventsOf } from './events.js';
import { facts } from './facts.js';
import { known, now } from './feed.js';
import { glyph, stateWord, word } from './glyphs.js';
import { understand } from './state.js';
import { percent, span, t } from './texts.js';

export function nodesPage() {
  if (!known.status) return h('p', null, t('verdict.first'));
  const { nodes, status } = understand(known.status, facts.timings);
  const fencing = status.fencing;
  const isArmed = fencing.state === 'armed' || fencing.state === 'standby';
  return [
    h(
      'section',
      { key: 'title', class: 'title' },
      h('div', null, h('h1', null, t('nav.nodes')), h('p', { class: 'now' }, t('nodes.sub', { n: nodes.length }))),
      may('Sys.Console') &&
        h('div', { class: 'row acts' }, isArmed ? actButton('disarm', disarm, 'danger') : actButton('arm', arm, 'primary')),
    ),
    h(
      'div',
      { key: 'table', class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('nav.nodes') },
      h(
        'table',
        { class: 'data rows' },
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            ['node', 'state', 'services', 'cpu', 'memory', 'guard', 'seen', 'do'].map((name) =>
              h('th', { key: name, scope: 'col' }, name === 'do' ? h('span', { class: 'vh' }, t('nodes.do')) : t(`nodes.${name}`)),
            ),
          ),
        ),
        h('tbody', null, nodes.map(line)),
      ),
    ),
    devices(),
    h(
      'section',
      { key: 'fencing', class: 'box' },
      h('h2', null, t('fact.fencing')),
      h('p', null, stateWord(fencing.state), fencing.mode && ` (${fencing.mode})`),
      status.disarm_asked?.by && h('p', null, t('node.asked', { who: status.disarm_asked.by })),
      bounds(),
      h('p', { class: 'hint' }, t('nodes.fencing.help')),
    ),
  ];
}

/** What can switch off which nodes, beside the watchdogs that each has. */
function devices() {
  const { fencing } = facts;
  if (!fencing) return null;
  const columns = ['device', 'agents', 'nodes'].map((name) => h('th', { key: name, scope: 'col' }, t(`fence.${name}`)));
  const row = (one) =>
    h(
      'tr',
      { key: one.device },
      h('th', { scope: 'row', class: 'mono' }, one.device),
      h('td', { class: 'mono', 'data-label': t('fence.agents') }, one.agents.join(', ')),
      h('td', { class: 'mono is-list', 'data-label': t('fence.nodes') }, one.nodes.join(', ')),
    );
  const without = fencing.without_device;
  return h(
    'section',
    { key: 'devices', class: 'box', id: 'devices' },
    h('h2', null, t('fence.title')),
    fencing.devices.length
      ? h('table', { class: 'data rows' }, h('thead', null, h('tr', null, columns)), h('tbody', null, fencing.devices.map(row)))
      : h('p', { class: 'hint' }, t('fence.none')),
    fencing.devices.length > 0 && without.length > 0 && h('p', { class: 'is-waiting' }, t('fence.unconnected', { nodes: without.join(', ') })),
  );
}

function line(node) {
  const { load } = node;
  return h(
    'tr',
    { key: node.name, class: node.loss ? 'is-lost' : '' },
    h(
      'th',
      { scope: 'row' },
      h('a', { class: 'mono', href: `#/node/${encodeURIComponent(node.name)}` }, node.name),
      node.master && h('small', null, ` ${t('node.master')}`),
      node.failure_domain && h('small', null, ` ${t('node.domain', { domain: node.failure_domain })}`),
    ),
    h('td', { 'data-label': t('nodes.state') }, stateWord(node.state)),
    h('td', { 'data-label': t('nodes.services') }, node.services.length),
    h('td', { class: 'short', 'data-label': t('nodes.cpu') }, load ? percent(load.cpu / load.max_cpu) : '–'),
    h('td', { class: 'short', 'data-label': t('nodes.memory') }, load ? percent(load.memory / load.max_memory) : '–'),
    h(
      'td',
      { 'data-label': t('nodes.guard') },
      glyph(node.watchdog === 'active' ? 'armed' : node.watchdog),
      ' ',
      h('span', { lang: 'en' }, node.guard ?? word(node.watchdog)),
    ),
    h('td', { 'data-label': t('nodes.seen') }, node.last_seen ? t('fact.ago', { age: span(now() / 1000 - node.last_seen, false) }) : '–'),
    h('td', null, buttons(node)),
  );
}

function buttons(node) {
  const isIn = Boolean(node.maintenance) || node.state === 'maintenance';
  return h(
    'div',
    { class: 'row' },
    may('VM.Migrate') && actButton(isIn ? 'leave' : 'enter', () => maintenance(node)),
    may('Sys.Console') && node.hold && actButton('unhold', () => clearFencings(node)),
    may('Sys.Console') && node.state === 'to_be_fenced' && actButton('fenced', () => confirmFenced(node), 'danger'),
  );
}

function bounds() {
  const { timings } = facts;
  if (!timings) return null;
  const pairs = [
    ['nodes.reset', timings.reset_latest_s],
    ['nodes.recovery', timings.recovery.longest_s],
    ['nodes.recovery.master', timings.recovery.longest_with_master_s],
  ];
  return h(
    'dl',
    { class: 'pairs' },
    pairs.map(([key, seconds]) => h('div', { key }, h('dt', null, t(key)), h('dd', null, span(seconds)))),
  );
}

let about = { node: null, mark: '' };

export function nodePage(name, redraw) {
  if (!known.status) return h('p', null, t('verdict.first'));
  ask(name, redraw);
  const node = understand(known.status, facts.timings).nodes.find((one) => one.name === name);
  if (!node)
    return nothing(h('h1', { class: 'mono' }, name), t('node.unknown'), '#/nodes', t('nav.nodes'));
  // Its text begins with the state, which stands there in the language of who reads it.
  const more = node.text.replace(new RegExp(`^${node.state}(, |$)`), '');
  return [
    h('p', { key: 'crumbs', class: 'crumbs' }, h('a', { href: '#/nodes' }, t('nav.nodes')), ' /'),
    h(
      'section',
      { key: 'title', class: 'title' },
      h(
        'div',
        null,
        h('h1', { class: 'mono' }, name),
        h('p', { class: 'now' }, stateWord(node.state), more && [' · ', h('span', { lang: 'en' }, more)]),
      ),
      buttons(node),
    ),
    h(
      'div',
      { key: 'two', class: 'two' },
      h(
        'section',
        { class: 'box' },
        h('h2', null, t('node.services', { n: node.services.length })),
        node.services.length
          ? h(
              'ul',
              { class: 'chips' },
              node.services.map((service) => h('li', { key: service.sid }, chip(service))),
            )
          : h('p', { class: 'hint' }, t('node.none')),
      ),
      h('section', { class: 'box' }, h('h2', null, t('node.if.lost')), about.lost ? targets(about.lost) : h('p', { class: 'hint' }, '…')),
    ),
    h(
      'section',
      { key: 'history', class: 'box' },
      h('h2', null, t('service.history')),
      about.history ? eventsOf(about.history, { node: name }) : h('p', { class: 'hint' }, '…'),
    ),
  ];
}

function targets(recoveries) {
  if (!recoveries.length) return h('p', { class: 'hint' }, t('node.nothing.goes'));
  return h(
    'table',
    { class: 'data' },
    h(
      'thead',
      null,
      h(
        'tr',
        null,
        ['sid', 'goes', 'within'].map((name) => h('th', { key: name, scope: 'col' }, t(`node.${name}`))),
      ),
    ),
    h(
      'tbody',
      null,
      recoveries.map((one) =>
        h(
          'tr',
          { key: one.sid },
          h('th', { scope: 'row', class: 'mono' }, one.sid),
          h('td', { class: one.to ? 'mono' : 'is-waiting' }, one.to ?? t('chip.nowhere')),
          h('td', null, one.longest_s ? span(one.longest_s) : '–'),
        ),
      ),
    ),
  );
}

async function ask(node, redraw) {
  const mark = `${node} ${known.status.last_event}`;
  if (mark === about.mark) return;
  about = about.node === node ? { ...about, mark } : { node, mark };
  const [history, lost] = await Promise.allSettled([
    get('history', { node, limit: 60 }),
    call('POST', 'what-if', { body: { fail: node } }),
  ]);
  if (about.node !== node) return;
  about.history = history.value?.entries.toReversed() ?? [];
  about.lost = lost.value?.data.recoveries ?? [];
  redraw();
}
