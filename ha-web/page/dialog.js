// A dialog that says what follows before anything is changed, and tells what happens afterwards.

import { Refused, call } from './api.js';
import { $, h, show } from './dom.js';
import { eventList } from './events.js';
import { heard, isStale, look, now } from './feed.js';
import { glyph } from './glyphs.js';
import { t } from './texts.js';

let open = null;
/** A question is not asked with each letter. */
const PAUSE = 250;

/**
 * Opens a dialog for a change.
 *
 * `fields` describes what can be chosen, `request` gives the call that makes the change (nothing while something is missing), `about` the
 * services and nodes of which is told what happens afterwards. `steps` makes the change where one call is not enough; `done` is called after it.
 */
export function openChange({ title, lead, fields, request, verb, isDanger = false, about = {}, steps, done, isPreviewed = true }) {
  open = {
    title,
    lead,
    fields,
    request,
    verb,
    isDanger,
    about,
    steps,
    done,
    isPreviewed,
    phase: 'asked',
    preview: null,
    problem: null,
    number: 0,
  };
  const dialog = $('#dialog');
  show(dialog);
  draw();
  dialog.showModal();
  const first = dialog.querySelector('.body input:not([type=radio]), .body select') ?? dialog.querySelector('.primary');
  first?.focus();
  ask();
}

/** Draws the dialog again, if one is open; what is heard may belong to it. */
export function refreshDialog() {
  if (open && $('#dialog').open) draw();
}

/** The dialog was closed. */
export function forgetDialog() {
  clearTimeout(open?.timer);
  open = null;
  show($('#dialog'));
}

/** What was chosen is another: what follows is asked again. */
export function chosen() {
  if (!open) return;
  clearTimeout(open.timer);
  open.timer = setTimeout(ask, PAUSE);
  // What follows from the choice before says nothing of this one, also where it is still on its way.
  open.number += 1;
  Object.assign(open, { preview: null, problem: null, isAsking: true });
  draw();
}

async function ask() {
  const mine = open;
  if (!mine) return;
  const request = mine.request();
  mine.number += 1;
  const { number } = mine;
  if (!request || !mine.isPreviewed) {
    Object.assign(mine, { preview: null, problem: null, isAsking: false });
    return draw();
  }
  mine.isAsking = true;
  const outcome = {};
  try {
    outcome.preview = (await call(request.method, request.path, { ...request, query: { ...request.query, dry_run: '1' } })).data;
  } catch (error) {
    outcome.problem = error;
  }
  if (mine !== open || number !== mine.number || mine.phase !== 'asked') return;
  Object.assign(mine, { preview: null, problem: null, isAsking: false }, outcome);
  draw();
}

async function carryOut(event) {
  event.preventDefault();
  const mine = open;
  if (mine.phase !== 'asked') return close();
  clearTimeout(mine.timer);
  Object.assign(mine, { phase: 'busy', since: now(), problem: null });
  draw();
  try {
    if (mine.steps) await mine.steps();
    else {
      const request = mine.request();
      await call(request.method, request.path, { ...request, key: crypto.randomUUID?.() ?? String(Math.random()) });
    }
    mine.phase = 'done';
    mine.done?.();
  } catch (error) {
    Object.assign(mine, { phase: 'asked', problem: error });
  }
  look();
  if (mine === open) draw();
}

const close = () => $('#dialog').close();

function draw() {
  const { title, lead, fields, verb, isDanger, phase, problem, preview } = open;
  const isStuck = isStale() || problem || !open.request() || (open.isPreviewed && !preview);
  const cancel = h(
    'button',
    { key: 'cancel', class: 'button', type: 'button', onclick: close },
    t(phase === 'done' ? 'key.close' : 'dialog.cancel'),
  );
  show(
    $('#dialog'),
    h(
      'form',
      { key: 'change', class: 'change', onsubmit: carryOut },
      h(
        'header',
        null,
        h('h2', { id: 'dialog-title' }, title),
        h('button', { class: 'icon', type: 'button', 'aria-label': t('key.close'), onclick: close }, glyph('close', { look: '' })),
      ),
      h(
        'div',
        { class: 'body' },
        phase === 'done'
          ? afterwards()
          : [
              lead && h('p', { class: 'lead' }, lead),
              fields && h('div', { key: 'fields', class: 'form' }, fields()),
              open.isPreviewed && follows(preview, problem),
            ],
        !open.isPreviewed && problem && refusal(problem),
        isStale() && h('p', { class: 'is-waiting' }, t('verdict.stale.sub')),
      ),
      h(
        'footer',
        null,
        cancel,
        phase !== 'done' &&
          h(
            'button',
            {
              key: 'do',
              class: `button primary ${isDanger ? 'danger' : ''}`,
              type: 'submit',
              disabled: phase === 'busy' || Boolean(isStuck),
            },
            verb,
          ),
      ),
    ),
  );
}

function refusal(problem) {
  const faults = problem instanceof Refused ? problem.faults : [];
  return h(
    'div',
    { class: 'follows is-bad', role: 'alert' },
    h('p', { lang: 'en' }, glyph('error'), ' ', problem.message),
    faults.map((fault, i) => h('p', { key: i, lang: 'en' }, `${fault.property}: ${fault.message}`)),
  );
}

function follows(preview, problem) {
  if (problem) return refusal(problem);
  if (!preview)
    return h(
      'div',
      { class: 'follows', 'aria-live': 'polite' },
      h('h3', null, t('dialog.follows')),
      h('p', { class: 'hint' }, t(open.isAsking ? 'dialog.asking' : 'dialog.missing')),
    );
  const lines = preview.follows ?? [];
  return h(
    'div',
    { class: 'follows', 'aria-live': 'polite' },
    h('h3', null, t('dialog.follows')),
    h(
      'ul',
      { class: 'plain' },
      !lines.length && h('li', null, glyph('ok'), h('span', null, t(preview.foreseen === false ? 'dialog.unforeseen' : 'dialog.nothing'))),
      lines.map((line) =>
        h(
          'li',
          { key: line.sid },
          glyph(line.stays ? 'info' : 'migrate', { look: line.stays ? 'waiting' : 'moving' }),
          h('span', { lang: 'en' }, line.text),
        ),
      ),
      (preview.notes ?? []).map((note) => h('li', { key: note }, glyph('info', { look: 'waiting' }), h('span', { lang: 'en' }, note))),
      (preview.findings ?? []).map((finding, i) =>
        h(
          'li',
          { key: `finding ${i}` },
          glyph('info', { look: 'waiting' }),
          h('span', { lang: 'en' }, finding.text ?? JSON.stringify(finding)),
        ),
      ),
    ),
  );
}

/** Whether an entry is about a service or a node; all are where neither is named. */
function concerns(entry, { sid, node }) {
  if (sid) return entry.what.sid === sid || entry.what.object === sid;
  return !node || JSON.stringify(entry.what).includes(`"${node}"`);
}

function afterwards() {
  const { about, since } = open;
  const isMine = (entry) => Date.parse(entry.time) >= since - 1000 && concerns(entry, about);
  const entries = heard.filter(isMine).slice(-12);
  return h(
    'div',
    { class: 'follows', 'aria-live': 'polite' },
    h('h3', null, t('dialog.done')),
    entries.length ? eventList(entries) : h('p', { class: 'hint' }, t('dialog.waits')),
  );
}

/** A field with its label, and a word of help. */
function field(id, label, control, help) {
  return h(
    'div',
    { key: id, class: 'line' },
    h('label', { for: id }, label),
    control,
    help && h('p', { class: 'hint', id: `${id}-help` }, help),
  );
}

// Controls for what can be chosen: each keeps its value in an object under its own name, and has asked again what follows.

const keep = (state, name) => (event) => {
  state[name] = event.target.type === 'checkbox' ? event.target.checked : event.target.value;
  chosen();
};

export function textField(state, name, label, props = {}, help = null) {
  const described = help && { 'aria-describedby': `${name}-help` };
  return field(name, label, h('input', { id: name, value: state[name], oninput: keep(state, name), ...described, ...props }), help);
}

export function checkField(state, name, label) {
  const box = h('input', { id: name, type: 'checkbox', checked: state[name], onchange: keep(state, name) });
  return h('label', { key: name, class: 'check' }, box, label);
}

/** One of several, each a value with its word. */
export function selectField(state, name, label, options) {
  const list = options.map(([value, text]) => h('option', { value, key: value, selected: value === state[name] }, text));
  return field(name, label, h('select', { id: name, onchange: keep(state, name) }, list));
}

/** One of several that are all seen: each has a value, and may have a title, words about it, and be one that can't be. */
export function radioField(state, name, legend, options) {
  const option = ({ value, title = value, about, isOut }) => {
    const radio = h('input', { type: 'radio', name, value, checked: value === state[name], onchange: keep(state, name) });
    return h('label', { key: value, class: isOut ? 'is-out' : '' }, radio, h('b', null, title), h('span', null, about ?? ''));
  };
  return h('fieldset', { key: name, class: 'targets' }, h('legend', null, legend), options.map(option));
}
