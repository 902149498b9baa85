// History: failovers with each step against its bound, and all that is kept, by service, node and time.

import { get } from './api.js';
import { h } from './dom.js';
import { eventList } from './events.js';
import { facts } from './facts.js';
import { heard, known, now } from './feed.js';
import { glyph } from './glyphs.js';
import { span, t, when } from './texts.js';

/** What is looked for. It stands in the address too, so that it can be handed on. */
const choice = { sid: '', node: '', severity: '', from: '', to: '' };
let asked = { mark: '', entries: [], isMore: false, problem: null };

/** The failover of an id, or the last one, and what an address looks for after its `?`. */
export function historyPage(id, looked, redraw) {
  if (!known.status) return h('p', null, t('verdict.first'));
  const wanted = new URLSearchParams(looked);
  for (const name in choice) choice[name] = wanted.get(name) ?? '';
  ask(redraw);
  const failovers = [...(facts.failovers ?? [])].reverse();
  const picked = failovers.find((one) => one.id === id) ?? failovers[0];
  return [
    h(
      'section',
      { key: 'title', class: 'title' },
      h(
        'div',
        null,
        h('h1', null, t('nav.history')),
        h('p', { class: 'now' }, failovers.length ? t('history.sub', { n: failovers.length }) : t('history.quiet')),
      ),
    ),
    picked &&
      h(
        'div',
        { key: 'failovers', class: 'two is-wide-right' },
        h(
          'section',
          null,
          h('h2', { class: 'vh' }, t('history.failovers')),
          h(
            'ol',
            { class: 'failovers' },
            failovers.slice(0, 30).map((one) => item(one, one === picked)),
          ),
        ),
        detail(picked),
      ),
    h(
      'section',
      { key: 'explorer', class: 'box' },
      h('h2', null, t('history.explorer')),
      filters(id, redraw),
      asked.problem ? h('p', { class: 'is-trouble', role: 'alert' }, asked.problem) : eventList(asked.entries),
      asked.isMore && h('p', null, h('button', { class: 'button', onclick: () => more(redraw) }, t('history.more'))),
    ),
  ];
}

const LOOKS = { under_way: ['starting', 'moving'], done: ['ok', 'well'], returned: ['ok', 'off'], failed: ['error', 'trouble'] };

function item(failover, isPicked) {
  const [shape, look] = LOOKS[failover.outcome];
  const took = failover.seconds.started;
  const text = took === null ? t(`outcome.${failover.outcome}`) : t('phase.whole', { run: span(took), bound: span(failover.bound_s) });
  return h(
    'li',
    { key: failover.id },
    h(
      'a',
      { href: addressOf(failover.id, choice), 'aria-current': isPicked ? 'true' : null },
      h('b', null, when(failover.noticed_ms)),
      h(
        'span',
        null,
        glyph(shape, { look }),
        ' ',
        h('span', { class: 'mono' }, failover.node),
        ` · ${t('node.services', { n: failover.services.length })}`,
      ),
      h('em', null, text),
      bar(took ?? failover.bound_s, failover.bound_s),
    ),
  );
}

function bar(run, bound) {
  return h(
    'svg',
    { class: `bound ${run > bound ? 'is-over' : ''}`, viewBox: '0 0 1000 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    h('path', { class: 'rail', d: 'M0 8h1000' }),
    h('path', { class: 'run', d: `M0 8h${Math.min(1000, (run / bound) * 1000).toFixed(0)}` }),
    h('path', { class: 'end', d: 'M998.5 0v16' }),
  );
}

function detail(failover) {
  const steps = ['noticed', 'to_be_fenced', 'locked', 'placed', 'started'].filter((name) => failover.seconds[name] !== null);
  return h(
    'section',
    { class: 'box' },
    h('h2', null, h('span', { class: 'mono' }, failover.node), `, ${when(failover.noticed_ms)}`),
    h(
      'p',
      { class: 'lead' },
      failover.seconds.started === null
        ? t(`outcome.${failover.outcome}`)
        : t('verdict.after', { n: failover.services.length, took: span(failover.seconds.started), bound: span(failover.bound_s) }),
    ),
    lanes(failover),
    h(
      'dl',
      { class: 'pairs' },
      steps.map((name) => h('div', { key: name }, h('dt', null, t(`step.${name}`)), h('dd', null, span(failover.seconds[name])))),
      failover.proof && h('div', { class: 'whole' }, h('dt', null, t('step.proof')), h('dd', null, t(`proof.${failover.proof}`))),
    ),
  );
}

const narrow = matchMedia('(max-width: 640px)');

/** A lane a service on one axis of seconds, with the steps and the bound. */
function lanes(failover) {
  const began = failover.lost_ms ?? failover.noticed_ms;
  const end = Math.max(failover.bound_s, failover.seconds.started ?? 0) * 1.06;
  // On a phone it is drawn as wide as that, so that its texts can be read.
  const [width, left, row, top] = narrow.matches ? [340, 90, 26, 24] : [860, 130, 22, 24];
  const services = failover.services.slice(0, 40);
  const height = top + Math.max(1, services.length) * row + 22;
  const x = (seconds) => left + (Math.min(end, Math.max(0, seconds)) / end) * (width - left);
  const mark = (name, label, isBound) =>
    h(
      'g',
      { key: name },
      h('path', { class: isBound ? 'limit' : 'step', d: `M${x(label)} ${top - 6}V${height - 18}` }),
      h(
        'text',
        { x: x(label) + (isBound ? -4 : 4), y: isBound ? height - 4 : 12, 'text-anchor': isBound ? 'end' : 'start' },
        isBound ? t('history.bound', { bound: span(label) }) : '',
      ),
    );
  const lane = (service, i) => {
    const y = top + i * row;
    const started = service.started_ms ? (service.started_ms - began) / 1000 : null;
    return h(
      'g',
      { key: service.sid },
      h(
        'text',
        { class: 'mono', x: left - 8, y: y + 13, 'text-anchor': 'end' },
        service.sid.length > 15 ? `${service.sid.slice(0, 13)}…` : service.sid,
      ),
      h('rect', { class: 'down', x: x(0), y: y + 4, width: x(started ?? end) - x(0), height: 10 }),
      started !== null && h('rect', { class: 'up', x: x(started), y: y + 4, width: width - x(started), height: 10 }),
      service.to && h('text', { class: 'mono to', x: Math.min(x(started ?? end) + 6, width - 60), y: y + 13 }, service.to),
    );
  };
  const said = services.map((service) => `${service.sid}: ${service.to ?? t('chip.nowhere')}`).join(', ');
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('history.timeline') },
    h(
      'svg',
      { class: 'lanes', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${t('history.timeline')}: ${said}` },
      ['noticed', 'locked', 'placed']
        .filter((name) => failover.seconds[name] !== null)
        .map((name) => mark(name, failover.seconds[name], false)),
      services.map(lane),
      mark('bound', failover.bound_s, true),
    ),
  );
}

/** The address of what is looked for. */
const addressOf = (id, wanted) => {
  const looked = new URLSearchParams(Object.entries(wanted).filter(([, text]) => text));
  return `#/history${id ? `/${encodeURIComponent(id)}` : ''}${looked.size ? `?${looked}` : ''}`;
};

/** A time as a field for times has it, by the clock of who looks. */
const fieldOf = (time) => {
  const two = (number) => `${number}`.padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}T${two(time.getHours())}:${two(time.getMinutes())}`;
};

/** Spans that people ask for, by the clock of the cluster. */
const SPANS = {
  hour: () => [new Date(now() - 3600e3), null],
  day: () => [new Date(now() - 86400e3), null],
  night: () => {
    const [begin, end] = [new Date(now()), new Date(now())];
    begin.setDate(begin.getDate() - 1);
    begin.setHours(18, 0, 0, 0);
    end.setHours(8, 0, 0, 0);
    return [begin, end];
  },
};

function filters(id, redraw) {
  const look = (wanted) => {
    // No step of its own on the way back.
    history.replaceState(null, '', addressOf(id, { ...choice, ...wanted }));
    redraw();
  };
  const put = (name) => (event) => look({ [name]: event.target.value.trim() });
  const within = (name) => {
    const [from, to] = SPANS[name]();
    look({ from: fieldOf(from), to: to ? fieldOf(to) : '' });
  };
  const input = (name, props = {}) =>
    h(
      'label',
      { key: name, class: 'pick' },
      t(`history.${name}`),
      h('input', { id: `by-${name}`, value: choice[name], onchange: put(name), ...props }),
    );
  return h(
    'div',
    { class: 'tools' },
    input('sid', { class: 'mono', placeholder: 'vm:100' }),
    input('node', { class: 'mono' }),
    h(
      'label',
      { class: 'pick' },
      t('history.severity'),
      h(
        'select',
        { id: 'by-severity', value: choice.severity, onchange: put('severity') },
        ['', 'notice', 'warning', 'error'].map((severity) =>
          h('option', { key: severity, value: severity }, t(`severity.${severity || 'info'}`)),
        ),
      ),
    ),
    input('from', { type: 'datetime-local' }),
    input('to', { type: 'datetime-local' }),
    h(
      'div',
      { class: 'row' },
      Object.keys(SPANS).map((name) =>
        h('button', { key: name, class: 'button', 'data-span': name, onclick: () => within(name) }, t(`history.${name}`)),
      ),
      Object.values(choice).some(Boolean) &&
        h('button', { key: 'all', class: 'link', onclick: () => look({ sid: '', node: '', severity: '', from: '', to: '' }) }, t('history.all')),
    ),
  );
}

function query() {
  const time = (text) => (text ? new Date(text).toISOString() : undefined);
  return {
    sid: choice.sid,
    node: choice.node,
    severity: choice.severity,
    from: time(choice.from),
    to: time(choice.to),
    limit: 100,
  };
}

async function ask(redraw) {
  const mark = JSON.stringify([choice, known.status.last_event, heard.length]);
  if (mark === asked.mark) return;
  asked.mark = mark;
  try {
    // A failover is over sooner than it is asked for again beside the status.
    const [page, failovers] = await Promise.all([get('history', query()), get('failovers')]);
    facts.failovers = failovers;
    Object.assign(asked, { entries: page.entries.toReversed(), isMore: page.is_more, problem: null });
  } catch (error) {
    Object.assign(asked, { entries: [], isMore: false, problem: error.message });
  }
  redraw();
}

async function more(redraw) {
  const last = asked.entries.at(-1);
  const page = await get('history', { ...query(), before: last.position });
  asked.entries = [...asked.entries, ...page.entries.toReversed()];
  asked.isMore = page.is_more;
  redraw();
}
