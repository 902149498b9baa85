// Services: the table that people know, with add, edit and remove.

import { addService, editService, removeService } from './actions.js';
import { get, may } from './api.js';
import { h, kept } from './dom.js';
import { facts } from './facts.js';
import { known } from './feed.js';
import { stateWord, word } from './glyphs.js';
import { servicesOf } from './rule-editor.js';
import { understand } from './state.js';
import { number, t } from './texts.js';

const choice = { filter: '', picked: null, sort: 'sid', up: true };
let about = { mark: '', settings: new Map(), rules: new Map() };
/** More rows than that are shown page by page. */
const MOST_ROWS = 200;
let pages = 1;

export function servicesPage(redraw) {
  if (!known.status) return h('p', null, t('verdict.first'));
  ask(redraw);
  const { all, shown } = listOf(understand(known.status, facts.timings));
  const picked = all.find((one) => one.sid === choice.picked);
  const rows = shown.slice(0, pages * MOST_ROWS);
  return [
    h(
      'section',
      { key: 'title', class: 'title' },
      h('div', null, h('h1', null, t('nav.services')), h('p', { class: 'now' }, t('services.sub', { n: all.length }))),
      may('Sys.Console') &&
        h(
          'div',
          { class: 'row acts' },
          h('button', { class: 'button primary', 'data-act': 'add', onclick: addService }, t('act.add')),
          h('button', { class: 'button', 'data-act': 'edit', disabled: !picked, onclick: () => editService(picked.sid) }, t('act.edit')),
          h(
            'button',
            { class: 'button danger', 'data-act': 'remove', disabled: !picked, onclick: () => removeService(picked.sid) },
            t('act.remove'),
          ),
        ),
    ),
    h(
      'div',
      { key: 'tools', class: 'tools' },
      h('input', {
        id: 'filter',
        class: 'grow',
        type: 'search',
        placeholder: t('tool.filter'),
        'aria-label': t('tool.filter'),
        oninput: (event) => {
          choice.filter = event.target.value.trim().toLowerCase();
          pages = 1;
          redraw();
        },
      }),
    ),
    h(
      'div',
      { key: 'table', class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('nav.services') },
      h(
        'table',
        { class: 'data rows' },
        head(redraw),
        h(
          'tbody',
          null,
          rows.map((one) => line(one, redraw)),
        ),
      ),
    ),
    !shown.length && h('p', { key: 'none', class: 'none' }, t(all.length ? 'tool.nothing' : 'services.none')),
    shown.length > rows.length &&
      h(
        'p',
        { key: 'more' },
        h(
          'button',
          {
            class: 'button',
            onclick: () => {
              pages += 1;
              redraw();
            },
          },
          t('services.more', { n: shown.length - rows.length }),
        ),
      ),
  ];
}

let listed = {};

/** All rows and those that are looked for. There may be many, so this is worked out only when something of it is another one. */
function listOf(cluster) {
  if (listed.cluster !== cluster || listed.settings !== about.settings || listed.language !== document.documentElement.lang)
    listed = { cluster, settings: about.settings, language: document.documentElement.lang, all: cluster.services.map(row) };
  const mark = [choice.filter, choice.sort, choice.up].join('|');
  if (listed.mark !== mark)
    Object.assign(listed, { mark, shown: listed.all.filter((one) => one.text.includes(choice.filter)).sort(order) });
  return listed;
}

function row(service) {
  const set = about.settings.get(service.sid) ?? {};
  const rules = about.rules.get(service.sid) ?? [];
  const groups = [set.group, ...rules].filter(Boolean).join(', ');
  return {
    sid: service.sid,
    state: service.state,
    node: service.node ?? '',
    restart: set.max_restart ?? '',
    relocate: set.max_relocate ?? '',
    groups,
    comment: service.comment ?? '',
    text: `${service.sid} ${service.node} ${groups} ${service.comment ?? ''} ${word(service.state)}`.toLowerCase(),
  };
}

const COLUMNS = ['sid', 'state', 'node', 'restart', 'relocate', 'groups', 'comment'];
const { compare } = new Intl.Collator(undefined, { numeric: true });
const order = (one, other) => (choice.up ? 1 : -1) * compare(String(one[choice.sort]), String(other[choice.sort]));

function head(redraw) {
  const sort = (name) => () => {
    [choice.up, choice.sort] = [choice.sort === name ? !choice.up : true, name];
    redraw();
  };
  return h(
    'thead',
    null,
    h(
      'tr',
      null,
      h('th', { class: 'tick' }, h('span', { class: 'vh' }, t('services.pick'))),
      COLUMNS.map((name) =>
        h(
          'th',
          { key: name, scope: 'col', 'aria-sort': choice.sort === name ? (choice.up ? 'ascending' : 'descending') : null },
          h('button', { class: 'sort', onclick: sort(name) }, t(`services.${name}`)),
        ),
      ),
    ),
  );
}

function line(one, redraw) {
  const isPicked = choice.picked === one.sid;
  const mark = [...COLUMNS.map((name) => one[name]), isPicked, document.documentElement.lang].join('|');
  return kept(one.sid, mark, () =>
    h(
      'tr',
      { class: isPicked ? 'is-picked' : '' },
      h(
        'td',
        { class: 'tick' },
        h('input', {
          type: 'radio',
          name: 'pick',
          'aria-label': one.sid,
          checked: isPicked,
          onchange: () => {
            choice.picked = one.sid;
            redraw();
          },
        }),
      ),
      h('th', { scope: 'row' }, h('a', { class: 'mono', href: `#/service/${encodeURIComponent(one.sid)}` }, one.sid)),
      h('td', { 'data-label': t('services.state') }, stateWord(one.state)),
      h('td', { class: 'mono', 'data-label': t('services.node') }, one.node),
      h('td', { class: 'low', 'data-label': t('services.restart') }, one.restart === '' ? '' : number(one.restart)),
      h('td', { class: 'low', 'data-label': t('services.relocate') }, one.relocate === '' ? '' : number(one.relocate)),
      h('td', { 'data-label': t('services.groups') }, one.groups),
      h('td', { 'data-label': t('services.comment') }, one.comment),
    ),
  );
}

async function ask(redraw) {
  const mark = `${known.status.last_event} ${known.status.services.length}`;
  if (mark === about.mark) return;
  about.mark = mark;
  // What is known stays where there is no answer; the head says how old the status is.
  const answers = await Promise.all([get('services'), get('rules')]).catch(() => null);
  if (!answers) return;
  const [services, rules] = answers;
  about.settings = new Map(services.map((service) => [service.sid, { ...service.in_force, group: service.set?.group }]));
  about.rules = new Map();
  for (const rule of rules) for (const sid of servicesOf(rule)) about.rules.set(sid, [...(about.rules.get(sid) ?? []), rule.rule]);
  redraw();
}
