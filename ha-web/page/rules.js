// Rules and groups: what holds, what is left out and why, and an editor that says what would move.

import { get, may } from './api.js';
import { h } from './dom.js';
import { known } from './feed.js';
import { glyph } from './glyphs.js';
import { KINDS, editGroup, editRule, isLoose, kindOf, removeGroup, removeRule, servicesOf } from './rule-editor.js';
import { ruleGraph } from './rule-graph.js';
import { t } from './texts.js';

let about = { mark: '', rules: null, groups: null };

export function rulesPage(id, redraw) {
  if (!known.status) return h('p', null, t('verdict.first'));
  ask(redraw);
  const admin = may('Sys.Console');
  const done = () => {
    about.mark = '';
    redraw();
  };
  return [
    h(
      'section',
      { key: 'title', class: 'title' },
      h(
        'div',
        null,
        h('h1', null, t('rules.title')),
        about.rules?.length > 0 && h('p', { class: 'now' }, t('rules.sub', { n: about.rules.length })),
      ),
      admin &&
        h(
          'div',
          { class: 'row acts' },
          h('button', { class: 'button primary', 'data-act': 'add-rule', onclick: () => editRule(null, done) }, t('rules.add')),
          h('button', { class: 'button', 'data-act': 'add-group', onclick: () => editGroup(null, done) }, t('groups.add')),
        ),
    ),
    h(
      'section',
      { key: 'rules', class: 'box' },
      h('h2', null, t('nav.rules')),
      about.rules?.length
        ? table(
            'rules',
            ['rule', 'kind', 'services', 'nodes', 'comment', 'holds', 'do'],
            about.rules.map((rule) => ruleLine(rule, rule.rule === id, admin, done)),
          )
        : h('p', { class: 'hint' }, t('rules.none')),
    ),
    about.rules?.length > 0 && ruleGraph(about.rules),
    h(
      'section',
      { key: 'groups', class: 'box' },
      h('h2', null, t('groups.title')),
      about.groups?.length
        ? table(
            'groups',
            ['group', 'nodes', 'restricted', 'nofailback', 'comment', 'do'],
            about.groups.map((group) => groupLine(group, admin, done)),
          )
        : h('p', { class: 'hint' }, t('groups.none')),
    ),
  ];
}

const table = (name, columns, rows) =>
  h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t(`${name}.title`) },
    h(
      'table',
      { class: 'data rows' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          columns.map((column) =>
            h('th', { key: column, scope: 'col' }, column === 'do' ? h('span', { class: 'vh' }, t('nodes.do')) : t(`rules.${column}`)),
          ),
        ),
      ),
      h('tbody', null, rows),
    ),
  );

const buttons = (name, edit, remove) =>
  h(
    'td',
    null,
    h(
      'div',
      { class: 'row' },
      h('button', { class: 'button', 'data-act': `edit-${name}`, onclick: edit }, t('act.edit')),
      h('button', { class: 'button danger', 'data-act': `remove-${name}`, onclick: remove }, t('act.remove')),
    ),
  );

/** The services of a rule; of an order those that come first before an arrow. */
const listOf = (rule) => (rule.type === 'order' ? `${rule.first.join(', ')} → ${rule.then.join(', ')}` : servicesOf(rule).join(', '));

function ruleLine(rule, isPicked, admin, done) {
  const kind = kindOf(rule);
  const holds = rule.disable
    ? ['stopped', 'off', t('rules.disabled')]
    : rule.in_force
      ? ['ok', 'well', t('rules.in_force')]
      : ['info', 'waiting', t('rules.left_out')];
  return h(
    'tr',
    { key: rule.rule, class: isPicked ? 'is-picked' : '' },
    h('th', { scope: 'row', class: 'mono' }, rule.rule),
    h(
      'td',
      { 'data-label': t('rules.kind') },
      glyph(KINDS[kind], { look: '' }),
      ` ${t(`kind.${kind}`)}`,
      rule.strict && ` (${t('rules.strict')})`,
      rule.spread && ` (${t('rules.spread')})`,
      isLoose(rule) && ` (${t('rules.loose')})`,
    ),
    h('td', { class: 'mono is-list', 'data-label': t('rules.services') }, listOf(rule)),
    h('td', { class: 'mono is-list', 'data-label': t('rules.nodes') }, (rule.nodes ?? []).join(', ')),
    h('td', { 'data-label': t('rules.comment') }, rule.comment ?? ''),
    h(
      'td',
      { 'data-label': t('rules.holds') },
      glyph(holds[0], { look: holds[1] }),
      ` ${holds[2]}`,
      rule.problems.map((problem) => h('p', { key: problem, class: 'is-waiting', lang: 'en' }, problem)),
    ),
    admin
      ? buttons(
          'rule',
          () => editRule(rule.rule, done),
          () => removeRule(rule.rule, done),
        )
      : h('td'),
  );
}

function groupLine(group, admin, done) {
  return h(
    'tr',
    { key: group.group },
    h('th', { scope: 'row', class: 'mono' }, group.group),
    h('td', { class: 'mono is-list', 'data-label': t('rules.nodes') }, group.nodes.join(', ')),
    h('td', { 'data-label': t('rules.restricted') }, t(group.restricted ? 'yes' : 'no')),
    h('td', { 'data-label': t('rules.nofailback') }, t(group.nofailback ? 'yes' : 'no')),
    h('td', { 'data-label': t('rules.comment') }, group.comment ?? ''),
    admin
      ? buttons(
          'group',
          () => editGroup(group.group, done),
          () => removeGroup(group.group, done),
        )
      : h('td'),
  );
}

async function ask(redraw) {
  const mark = String(known.status.last_event);
  if (mark === about.mark) return;
  about.mark = mark;
  const [rules, groups] = await Promise.all([get('rules'), get('groups')]).catch(() => [about.rules, about.groups]);
  Object.assign(about, { rules, groups });
  redraw();
}
