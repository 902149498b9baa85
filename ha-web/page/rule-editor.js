// The editor of rules and groups. What would be refused, and what would move, is told before it is saved.

import { changed } from './actions.js';
import { call } from './api.js';
import { checkField, chosen, openChange, radioField, textField } from './dialog.js';
import { h } from './dom.js';
import { known } from './feed.js';
import { percent, t } from './texts.js';

/** The kinds of rules, each with its shape. */
export const KINDS = { 'node-affinity': 'pin', positive: 'together', negative: 'apart', order: 'order' };
export const kindOf = (rule) => (rule.type === 'resource-affinity' ? rule.affinity : rule.type);
/** Whether a rule keeps its services apart only while there is a place for that. */
export const isLoose = (rule) => kindOf(rule) === 'negative' && rule.strict === false;
/** All services that a rule names: of an order those that come first, and then the others. */
export const servicesOf = (rule) => rule.resources ?? [...rule.first, ...rule.then];

/** As in the dialog that people know: each node with its memory and processors in use, and a priority. */
function nodesField(nodes) {
  const loads = known.status.loads ?? {};
  const share = (load, used, most) => (load ? percent(load[used] / load[most]) : '–');
  const put = (name, priority) => {
    if (priority === null) nodes.delete(name);
    else nodes.set(name, priority);
    chosen();
  };
  return h(
    'fieldset',
    { key: 'nodes', class: 'pick-nodes' },
    h('legend', null, t('rules.on')),
    h(
      'table',
      { class: 'data' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('th', { class: 'tick' }, h('span', { class: 'vh' }, t('services.pick'))),
          ['node', 'memory', 'cpu', 'priority'].map((column) =>
            h('th', { key: column, scope: 'col' }, t(column === 'priority' ? 'rules.priority' : `nodes.${column}`)),
          ),
        ),
      ),
      h(
        'tbody',
        null,
        known.status.nodes.map(({ node }) =>
          h(
            'tr',
            { key: node, class: nodes.has(node) ? 'is-picked' : '' },
            h(
              'td',
              { class: 'tick' },
              h('input', {
                type: 'checkbox',
                'aria-label': node,
                checked: nodes.has(node),
                onchange: (event) => put(node, event.target.checked ? '' : null),
              }),
            ),
            h('th', { scope: 'row', class: 'mono' }, node),
            h('td', null, share(loads[node], 'memory', 'max_memory')),
            h('td', null, share(loads[node], 'cpu', 'max_cpu')),
            h(
              'td',
              null,
              h('input', {
                type: 'number',
                class: 'priority',
                min: 0,
                max: 1000,
                'aria-label': t('rules.priority.of', { node }),
                disabled: !nodes.has(node),
                value: nodes.get(node) ?? '',
                oninput: (event) => put(node, event.target.value),
              }),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Nodes with their priorities, as the interface writes them: `node1:2`. */
function parsed(list = []) {
  const pair = (text) => {
    const [node, priority = ''] = text.split(':');
    return [node, priority];
  };
  return new Map(list.map(pair));
}

const written = (nodes) => [...nodes].map(([node, priority]) => (priority === '' ? node : `${node}:${priority}`)).join(',');

const rulePath = (rule) => `rules/${encodeURIComponent(rule)}`;
const groupPath = (group) => `groups/${encodeURIComponent(group)}`;

/** What is set of a rule, as the interface takes it. */
function ruleProperties(choice) {
  const isOfNodes = choice.kind === 'node-affinity';
  if (choice.kind === 'order') return orderProperties(choice);
  return {
    resources: choice.resources.replace(/\s/g, ''),
    ...(isOfNodes ? { nodes: written(choice.nodes), strict: choice.strict } : { affinity: choice.kind }),
    ...(choice.kind === 'negative' && { strict: !choice.loose, spread: choice.spread ? 'failure-domain' : '' }),
    disable: choice.disable,
    comment: choice.comment,
  };
}

const orderProperties = ({ first, then, delay, timeout, strict, disable, comment }) => ({
  first: first.replace(/\s/g, ''),
  then: then.replace(/\s/g, ''),
  delay: String(delay),
  timeout: String(timeout),
  strict,
  disable,
  comment,
});

/** The kinds that a rule may become: its type stays. */
const kindsOf = (kind) => (['positive', 'negative'].includes(kind) ? ['positive', 'negative'] : [kind]);

const orderFields = (choice, sids) => [
  textField(choice, 'first', t('rules.first'), sids),
  textField(choice, 'then', t('rules.then'), sids),
  textField(choice, 'delay', t('rules.delay'), { type: 'number', min: 0, max: 86400 }),
  textField(choice, 'timeout', t('rules.timeout'), { type: 'number', min: 1, max: 86400 }),
  checkField(choice, 'strict', t('rules.strict.order')),
];

function ruleFields(choice, id) {
  const kinds = id ? kindsOf(choice.kind) : Object.keys(KINDS);
  const options = kinds.map((value) => ({ value, title: t(`kind.${value}`), about: t(`kind.${value}.help`) }));
  const sids = { class: 'mono', placeholder: 'vm:100,vm:101', autocomplete: 'off' };
  return [
    !id && textField(choice, 'rule', t('rules.rule'), { class: 'mono', autocomplete: 'off' }),
    radioField(choice, 'kind', t('rules.kind'), options),
    choice.kind === 'order' ? orderFields(choice, sids) : textField(choice, 'resources', t('rules.services'), sids),
    choice.kind === 'node-affinity' && [nodesField(choice.nodes), checkField(choice, 'strict', t('rules.strict.help'))],
    choice.kind === 'negative' && [checkField(choice, 'loose', t('rules.loose.help')), checkField(choice, 'spread', t('rules.spread.help'))],
    checkField(choice, 'disable', t('rules.disable')),
    textField(choice, 'comment', t('rules.comment')),
  ];
}

export async function editRule(id, done) {
  const one = id ? await call('GET', rulePath(id)) : null;
  const rule = one?.data ?? { rule: '', type: 'node-affinity', resources: [] };
  const { strict = false, disable = false, comment = '', first = [], then = [], delay = 0, timeout = 300 } = rule;
  const choice = {
    rule: rule.rule,
    kind: kindOf(rule),
    resources: (rule.resources ?? []).join(','),
    first: first.join(','),
    then: then.join(','),
    delay,
    timeout,
    nodes: parsed(rule.nodes),
    strict,
    loose: isLoose(rule),
    spread: Boolean(rule.spread),
    disable,
    comment,
  };
  const saved = id && ruleProperties(choice);
  const request = () => {
    const isOfNodes = choice.kind === 'node-affinity';
    const isOrder = choice.kind === 'order';
    const isNamed = isOrder ? choice.first.trim() && choice.then.trim() : choice.resources.trim();
    if (!choice.rule.trim() || !isNamed || (isOfNodes && !choice.nodes.size)) return null;
    // What holds anyway is not set.
    const before = saved || { comment: '', disable: false, strict: choice.kind === 'negative', spread: '' };
    const body = changed(before, ruleProperties(choice));
    if (id) return { method: 'PATCH', path: rulePath(id), body, digest: one.digest };
    const type = isOfNodes ? 'node-affinity' : isOrder ? 'order' : 'resource-affinity';
    return { method: 'POST', path: 'rules', body: { rule: choice.rule.trim(), type, ...body } };
  };
  openChange({
    title: id ? t('rules.edit.title', { rule: id }) : t('rules.add.title'),
    verb: t(id ? 'edit.do' : 'rules.add.do'),
    request,
    fields: () => ruleFields(choice, id),
    done,
  });
}

export async function removeRule(id, done) {
  const { digest } = await call('GET', rulePath(id));
  const request = () => ({ method: 'DELETE', path: rulePath(id), digest });
  openChange({ title: t('rules.remove.title', { rule: id }), verb: t('rules.remove.do'), isDanger: true, request, done });
}

const groupProperties = ({ nodes, restricted, nofailback, comment }) => ({ nodes: written(nodes), restricted, nofailback, comment });

export async function editGroup(id, done) {
  const one = id ? await call('GET', groupPath(id)) : null;
  const { group, nodes, restricted = false, nofailback = false, comment = '' } = one?.data ?? { group: '', nodes: [] };
  const choice = { group, nodes: parsed(nodes), restricted, nofailback, comment };
  const before = id ? groupProperties(choice) : { comment: '', restricted: false, nofailback: false };
  const request = () => {
    if (!choice.group.trim() || !choice.nodes.size) return null;
    const body = changed(before, groupProperties(choice));
    if (id) return { method: 'PATCH', path: groupPath(id), body, digest: one.digest };
    return { method: 'POST', path: 'groups', body: { group: choice.group.trim(), ...body } };
  };
  openChange({
    title: id ? t('groups.edit.title', { group: id }) : t('groups.add.title'),
    verb: t(id ? 'edit.do' : 'groups.add.do'),
    request,
    done,
    fields: () => [
      !id && textField(choice, 'group', t('rules.group'), { class: 'mono', autocomplete: 'off' }),
      nodesField(choice.nodes),
      checkField(choice, 'restricted', t('groups.restricted.help')),
      checkField(choice, 'nofailback', t('groups.nofailback.help')),
      textField(choice, 'comment', t('rules.comment')),
    ],
  });
}

export async function removeGroup(id, done) {
  const { digest } = await call('GET', groupPath(id));
  const request = () => ({ method: 'DELETE', path: groupPath(id), digest });
  openChange({ title: t('groups.remove.title', { group: id }), verb: t('groups.remove.do'), isDanger: true, request, done });
}
