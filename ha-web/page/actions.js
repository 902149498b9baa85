// What can be done: each says what follows before, and tells what happened after.

import { call, get, may } from './api.js';
import { h } from './dom.js';
import { checkField, openChange, radioField, selectField, textField } from './dialog.js';
import { known } from './feed.js';

import { short, t } from './texts.js';

const path = (sid) => `services/${encodeURIComponent(sid)}`;
const nodePath = (node) => `nodes/${encodeURIComponent(node)}`;

/** Nodes for a move, those that suit best first; what can't be is shown with its reason. */
async function targets(sid) {
  const { explanation, texts } = await get(`${path(sid)}/explain`, { best: '1' });
  return explanation.nodes
    .filter((node) => node.node !== explanation.node)
    .map((node) => ({ node: node.node, rank: node.rank ?? null, text: texts.nodes[node.node] }))
    .sort((one, other) => (one.rank ?? 99) - (other.rank ?? 99) || one.node.localeCompare(other.node));
}

async function move(service) {
  const others = known.status.nodes.filter((node) => node.node !== service.node);
  const list = await targets(service.sid).catch(() => others.map((node) => ({ node: node.node, rank: 1, text: '' })));
  const choice = { node: list.find((one) => one.rank)?.node, motion: 'migrate' };
  const nodes = list.map((one) => ({ value: one.node, about: one.rank ? '' : one.text, isOut: !one.rank }));
  const motions = ['migrate', 'relocate'].map((value) => ({ value, title: t(`move.${value}`), about: t(`move.${value}.help`) }));
  openChange({
    title: t('move.title', { sid: short(service.sid, 40) }),
    verb: t('move.do'),
    about: { sid: service.sid },
    request: () => choice.node && { method: 'POST', path: `${path(service.sid)}/${choice.motion}`, body: { node: choice.node } },
    fields: () => [radioField(choice, 'node', t('move.to'), nodes), radioField(choice, 'motion', t('move.how'), motions)],
  });
}

const request = (sid, state) => ({ method: 'PATCH', path: path(sid), body: { state } });

function requestState(service, state) {
  openChange({
    title: t(`request.${state}.title`, { sid: short(service.sid, 40) }),
    verb: t(`request.${state}.do`),
    lead: t(`request.${state}.lead`),
    about: { sid: service.sid },
    request: () => request(service.sid, state),
  });
}

function stop(service) {
  const choice = { timed: false, seconds: '60' };
  openChange({
    title: t('request.stopped.title', { sid: short(service.sid, 40) }),
    verb: t('request.stopped.do'),
    lead: t('request.stopped.lead'),
    about: { sid: service.sid },
    request: () => ({ method: 'POST', path: `${path(service.sid)}/stop`, body: choice.timed ? { timeout_s: Number(choice.seconds) } : {} }),
    fields: () => [
      checkField(choice, 'timed', t('stop.timed')),
      choice.timed && textField(choice, 'seconds', t('stop.seconds'), { type: 'number', min: 0 }, t('stop.help')),
    ],
  });
}

/** Waits until the status says something of a service. */
async function until(sid, isSo) {
  const end = Date.now() + 120000;
  while (Date.now() < end) {
    const service = (await get('status')).services.find((one) => one.sid === sid);
    if (service && isSo(service)) return;
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  throw new Error(t('steps.late'));
}

const set = (sid, state) => call('PATCH', path(sid), { body: { state } });

/** As `ha cleanup`: the error is cleared by the state 'disabled'; then what was requested before is requested again. */
function cleanup(service) {
  openChange({
    title: t('cleanup.title', { sid: short(service.sid, 40) }),
    verb: t('cleanup.do'),
    lead: t('cleanup.lead'),
    about: { sid: service.sid },
    request: () => request(service.sid, 'disabled'),
    steps: async () => {
      await set(service.sid, 'disabled');
      try {
        await until(service.sid, (one) => one.state === 'stopped');
      } finally {
        await set(service.sid, service.requested ?? 'started');
      }
    },
  });
}

/** As `ha restart`. */
function restart(service) {
  openChange({
    title: t('restart.title', { sid: short(service.sid, 40) }),
    verb: t('restart.do'),
    lead: t('restart.lead', { node: service.node }),
    about: { sid: service.sid },
    isPreviewed: false,
    request: () => request(service.sid, 'stopped'),
    steps: async () => {
      await set(service.sid, 'stopped');
      try {
        await until(service.sid, (one) => one.state === 'stopped');
      } finally {
        await set(service.sid, 'started');
      }
    },
  });
}

/** Each with its range. */
const NUMBERS = { max_restart: [0, 10], max_relocate: [0, 10], priority: [0, 1000], 'failback-delay': [1], 'failure-timeout': [1] };
const PROBE_NUMBERS = { 'probe-interval': [1], 'probe-timeout': [1], 'probe-failures': [1], 'ready-timeout': [1] };
const ON_FAILURE = ['report', 'restart', 'relocate'];
const STATES = ['started', 'stopped', 'disabled', 'ignored'];

/** What is set of a service, with what holds where nothing is set. */
const settingsOf = (set) => ({
  state: set.state ?? 'started',
  group: set.group ?? '',
  max_restart: set.max_restart ?? 1,
  max_relocate: set.max_relocate ?? 1,
  failback: set.failback ?? true,
  'auto-rebalance': set['auto-rebalance'] ?? true,
  priority: set.priority ?? 0,
  'failback-delay': set['failback-delay'] ?? '',
  'failure-timeout': set['failure-timeout'] ?? '',
  probe: set.probe ?? '',
  'probe-interval': set['probe-interval'] ?? 10,
  'probe-timeout': set['probe-timeout'] ?? 5,
  'probe-failures': set['probe-failures'] ?? 3,
  'ready-timeout': set['ready-timeout'] ?? 300,
  'on-failure': set['on-failure'] ?? 'report',
  comment: set.comment ?? '',
});

/** Which settings to set and which to unset. */
export function changed(before, after) {
  const names = Object.keys(after).filter((name) => String(after[name]) !== String(before[name]));
  const set = Object.fromEntries(names.filter((name) => after[name] !== '').map((name) => [name, after[name]]));
  const unset = names.filter((name) => after[name] === '');
  return { ...set, ...(unset.length ? { delete: unset.join(',') } : {}) };
}

function settingFields(choice, groups) {
  const group = [['', t('edit.no.group')], ...groups.map((one) => [one.group, one.group])];
  const amount = ([name, [min, max]]) =>
    textField(choice, name, t(`service.${name}`), { type: 'number', min, max }, t(`edit.${name}.help`));
  return [
    selectField(
      choice,
      'state',
      t('service.state'),
      STATES.map((state) => [state, t(`state.${state}`)]),
    ),
    Object.entries(NUMBERS).map(amount),
    selectField(choice, 'group', t('service.group'), group),
    checkField(choice, 'failback', t('edit.failback')),
    checkField(choice, 'auto-rebalance', t('edit.balance')),
    probeFields(choice, amount),
    textField(choice, 'comment', t('service.comment'), { maxlength: 4096 }),
  ];
}

/** They say nothing of a service without a probe, and are out of the way until one is to be set. */
function probeFields(choice, amount) {
  return h(
    'details',
    { key: 'probes', class: 'more', open: Boolean(choice.probe) },
    h('summary', null, t('edit.probes')),
    textField(choice, 'probe', t('service.probe'), { class: 'mono', placeholder: 'tcp:5432' }, t('edit.probe.help')),
    Object.entries(PROBE_NUMBERS).map(amount),
    selectField(
      choice,
      'on-failure',
      t('service.on-failure'),
      ON_FAILURE.map((what) => [what, t(`on-failure.${what}`)]),
    ),
  );
}

export async function editService(sid) {
  const [groups, { data, digest }] = await Promise.all([get('groups'), call('GET', path(sid))]);
  const before = settingsOf(data.set ?? {});
  const choice = { ...before };
  openChange({
    title: t('edit.title', { sid: short(sid, 40) }),
    verb: t('edit.do'),
    about: { sid },
    request: () => ({ method: 'PATCH', path: path(sid), body: changed(before, choice), digest }),
    fields: () => settingFields(choice, groups),
  });
}

export async function addService() {
  const [groups, guests] = await Promise.all([get('groups'), get('guests')]);
  const usual = settingsOf({});
  const choice = { sid: '', ...usual };
  const free = guests.filter((guest) => !guest.managed);
  const named = free.slice(0, 6).map((guest) => `${guest.sid} (${guest.node})`);
  const help = free.length ? t('add.help', { sids: named.join(', ') }) : t('add.none');
  const about = {
    get sid() {
      return choice.sid.trim();
    },
  };
  openChange({
    title: t('add.title'),
    verb: t('add.do'),
    about,
    request: () => choice.sid.trim() && { method: 'POST', path: 'services', body: changed(usual, { ...choice, sid: choice.sid.trim() }) },
    fields: () => [
      textField(choice, 'sid', t('service.id'), { class: 'mono', list: 'guests', required: true, autocomplete: 'off' }, help),
      h(
        'datalist',
        { key: 'guests', id: 'guests' },
        free.map((guest) => h('option', { value: guest.sid, key: guest.sid })),
      ),
      settingFields(choice, groups),
    ],
  });
}

export async function removeService(sid) {
  const { digest } = await call('GET', path(sid));
  const choice = { purge: true };
  openChange({
    title: t('remove.title', { sid: short(sid, 40) }),
    verb: t('remove.do'),
    lead: t('remove.lead'),
    isDanger: true,
    about: { sid },
    request: () => ({ method: 'DELETE', path: path(sid), query: { purge: choice.purge ? '1' : '0' }, digest }),
    fields: () => checkField(choice, 'purge', t('remove.purge')),
  });
}

/** The buttons of a service, by its state and by who looks. */
export function serviceActions(service) {
  const power = may('VM.PowerMgmt');
  const admin = may('Sys.Console');
  const isConfigured = Boolean(service.requested);
  const runs = service.requested === 'started';
  const list = [
    service.state === 'error' && power && ['cleanup', () => cleanup(service), 'primary'],
    isConfigured && may('VM.Migrate') && service.state !== 'error' && ['move', () => move(service)],
    isConfigured && power && !runs && service.state !== 'error' && ['start', () => requestState(service, 'started')],
    isConfigured && power && runs && service.state !== 'error' && ['stop', () => stop(service)],
    isConfigured && power && runs && service.state === 'started' && ['restart', () => restart(service)],
    isConfigured && admin && ['edit', () => editService(service.sid)],
    isConfigured && admin && ['remove', () => removeService(service.sid), 'danger'],
  ];
  return h(
    'div',
    { class: 'row acts' },
    list
      .filter(Boolean)
      .map(([name, act, look = '']) =>
        h('button', { key: name, class: `button ${look}`, 'data-act': name, onclick: act }, t(`act.${name}`)),
      ),
  );
}

// Nodes and the cluster.

export function maintenance(node) {
  const isIn = Boolean(node.maintenance) || node.state === 'maintenance';
  const name = isIn ? 'leave' : 'enter';
  openChange({
    title: t(`maintenance.${name}.title`, { node: node.name }),
    verb: t(`maintenance.${name}.do`),
    lead: t(`maintenance.${name}.lead`),
    about: { node: node.name },
    request: () => ({ method: isIn ? 'DELETE' : 'PUT', path: `${nodePath(node.name)}/maintenance` }),
  });
}

export function confirmFenced(node) {
  const choice = { repeat: '' };
  openChange({
    title: t('fenced.title', { node: node.name }),
    verb: t('fenced.do'),
    isDanger: true,
    about: { node: node.name },
    lead: t('fenced.lead', { node: node.name }),
    request: () =>
      choice.repeat.trim() === node.name && { method: 'POST', path: `${nodePath(node.name)}/confirm-fenced`, body: { repeat: node.name } },
    fields: () => textField(choice, 'repeat', t('fenced.repeat'), { class: 'mono', autocomplete: 'off' }),
  });
}

export function clearFencings(node) {
  openChange({
    title: t('unhold.title', { node: node.name }),
    verb: t('unhold.do'),
    lead: t('unhold.lead', { node: node.name }),
    about: { node: node.name },
    request: () => ({ method: 'POST', path: `${nodePath(node.name)}/clear-fencings` }),
  });
}

export function disarm() {
  const choice = { mode: 'freeze' };
  openChange({
    title: t('disarm.title'),
    verb: t('disarm.do'),
    isDanger: true,
    lead: t('disarm.lead'),
    request: () => ({ method: 'POST', path: 'disarm', body: { mode: choice.mode } }),
    fields: () =>
      radioField(
        choice,
        'mode',
        t('disarm.mode'),
        ['freeze', 'ignore'].map((value) => ({ value, about: t(`disarm.${value}`) })),
      ),
  });
}

export const arm = () =>
  openChange({ title: t('arm.title'), verb: t('arm.do'), lead: t('arm.lead'), request: () => ({ method: 'POST', path: 'arm', body: {} }) });

export const actButton = (name, act, look = '', disabled = false) =>
  h('button', { key: name, class: `button ${look}`, 'data-act': name, onclick: act, disabled }, t(`act.${name}`));
