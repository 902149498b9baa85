// A cluster that is played: how fast its time passes, what comes next, and what people let happen in it.

import { call, get, may, Refused, session } from './api.js';
import { $, h, show } from './dom.js';
import { known, look } from './feed.js';
import { glyph } from './glyphs.js';
import { span, t } from './texts.js';

const RATES = [1, 4, 10, 30];
/** What can befall a node, each with the field that says whether it is well, and the lines that end and bring that about. */
const MISHAPS = [
  { field: 'power', off: (node) => `power off ${node}`, on: (node) => `power on ${node}` },
  { field: 'network', off: (node) => `network off ${node}`, on: (node) => `network on ${node}` },
  { field: 'store', off: (node) => `store fails on ${node}`, on: (node) => `store works on ${node}` },
];
/** How often it is asked how the play stands. */
const INTERVAL = 500;

let play = null;
let problem = null;
let isOpen = false;
let askedAt = 0;

/** Asks how the play stands, not more often than is needed. `changed` is called with what has come. */
export async function refreshPlay(changed) {
  if (!known.status?.play || Date.now() - askedAt < INTERVAL) return;
  askedAt = Date.now();
  try {
    play = await get('play');
    changed();
  } catch {
    // The head of the page says that the server gives no answer.
  }
}

export function drawPlay(redraw) {
  const bar = $('#play');
  bar.hidden = !play || !session;
  bar.setAttribute('aria-label', t('play.label'));
  if (bar.hidden) return;
  const direct = (body) => change(body, redraw);
  show(
    bar,
    h('p', { class: 'story' }, h('b', null, play.name), ' ', h('span', { lang: 'en' }, play.title)),
    h(
      'div',
      { class: 'row' },
      clock(direct),
      rates(direct),
      next(direct),
      h('button', { class: 'button', id: 'reach-in', 'aria-expanded': `${isOpen}`, onclick: () => toggle(redraw) }, t('play.reach')),
    ),
    (problem || play.broken) && h('p', { class: 'is-trouble', role: 'alert' }, problem || t('play.broken', { why: play.broken })),
    isOpen && reach(direct),
  );
}

function toggle(redraw) {
  isOpen = !isOpen;
  redraw();
}

/** What a change needs; who may not make it sees how things stand. */
const isMine = () => may('Sys.Console') && !play.broken;

function clock(direct) {
  const label = t(play.paused ? 'play.go' : 'play.pause');
  const props = { class: 'button', id: 'pause', disabled: !isMine(), onclick: () => direct({ paused: !play.paused }) };
  return [h('button', props, label), h('span', { class: 'mono', id: 'play-time' }, t('play.time', { time: span(play.time_s, false) }))];
}

function rates(direct) {
  const one = (rate) =>
    h(
      'button',
      { class: 'button', 'aria-pressed': `${rate === play.rate}`, disabled: !isMine(), onclick: () => direct({ rate }) },
      t('play.rate', { n: rate }),
    );
  return h('div', { class: 'row choices', role: 'group', 'aria-label': t('play.rates') }, RATES.map(one));
}

/** What the scenario does next. */
function next(direct) {
  if (!play.next) return h('span', { class: 'hint' }, t('play.over'));
  const left = span(Math.max(0, play.next.at_s - play.time_s), false);
  // A little before it, so that it is seen.
  const to = Math.floor(play.next.at_s) - 5;
  const isFar = to > play.time_s;
  return [
    h('span', null, t('play.next', { left }), ' ', h('span', { class: 'mono' }, play.next.action)),
    h('button', { class: 'button', id: 'skip-to', disabled: !isMine() || !isFar, onclick: () => direct({ to_s: to }) }, t('play.skip')),
  ];
}

/** What can befall each node, and how it is. */
function reach(direct) {
  const cell = (node) => (mishap) => {
    const isWell = node[mishap.field];
    const act = () => direct({ action: (isWell ? mishap.off : mishap.on)(node.node) });
    const label = t(`play.${mishap.field}.${isWell ? 'off' : 'on'}`);
    const name = `${node.node}: ${label}`;
    return h(
      'td',
      { 'data-label': t(`play.${mishap.field}`) },
      h('span', { class: `state is-${isWell ? 'well' : 'trouble'}` }, glyph(isWell ? 'started' : 'error'), t(`play.${isWell ? 'well' : 'broken.now'}`)),
      h('button', { class: 'button', disabled: !isMine(), 'aria-label': name, onclick: act }, label),
    );
  };
  const jump = (node) => {
    const props = { class: 'button', disabled: !isMine(), 'aria-label': `${node}: ${t('play.clock.off')}` };
    const onclick = () => direct({ action: `clock of ${node} jumps forward 1h` });
    return h('td', { 'data-label': t('play.clock') }, h('button', { ...props, onclick }, t('play.clock.off')));
  };
  const row = (node) =>
    h('tr', { key: node.node }, h('th', { scope: 'row', class: 'mono' }, node.node), MISHAPS.map(cell(node)), jump(node.node));
  const heads = ['node', ...MISHAPS.map(({ field }) => field), 'clock'].map((name) => h('th', { scope: 'col' }, t(`play.${name}`)));
  return h('table', { class: 'data rows' }, h('thead', null, h('tr', null, heads)), h('tbody', null, play.nodes.map(row)));
}

async function change(body, redraw) {
  problem = null;
  try {
    play = (await call('POST', 'play', { body })).data;
  } catch (error) {
    problem = error instanceof Refused ? (error.faults[0]?.message ?? error.message) : error.message;
  }
  redraw();
  look();
}
