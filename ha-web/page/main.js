// The frame: the address decides which page is shown; what is known decides what it says.

import { forget, logout, session, whoLooks } from './api.js';
import { clusterPage, focusFilter } from './cluster.js';
import { forgetDialog, refreshDialog } from './dialog.js';
import { $, $$, h, nothing, show } from './dom.js';
import * as facts from './facts.js';
import { isStale, known, leave, listen, look } from './feed.js';
import { drawFrame } from './frame.js';
import { isOpen, openFinder } from './finder.js';
import { loginPage, say as sayLogin } from './login.js';
import { historyPage } from './history.js';
import { nodePage, nodesPage } from './nodes.js';
import { drawPlay, refreshPlay } from './play.js';
import { rulesPage } from './rules.js';
import { servicePage } from './service.js';
import { servicesPage } from './services.js';
import { currentLanguage, languages, speak, t } from './texts.js';

const PAGES = {
  cluster: { to: '#/' },
  services: { to: '#/services' },
  rules: { to: '#/rules' },
  nodes: { to: '#/nodes' },
  history: { to: '#/history' },
};
const stillness = matchMedia('(prefers-reduced-motion: reduce)');

/** Which page is shown, of what, and what is looked for there. */
function place() {
  const [path, looked = ''] = location.hash.split('?');
  const [, view = '', ...rest] = path.split('/');
  return { view: view || 'cluster', id: decodeURIComponent(rest.join('/')), looked };
}

let isAsked = false;
/** Draws soon, once for all that has changed. */
function redraw() {
  if (isAsked) return;
  isAsked = true;
  const draw = () => {
    isAsked = false;
    drawAll();
  };
  // A hidden tab has no frames.
  if (document.hidden) setTimeout(draw, 200);
  else requestAnimationFrame(draw);
}

function drawAll() {
  const { view, id, looked } = place();
  const current = { service: 'services', node: 'nodes' }[view] ?? view;
  drawFrame(pages(), current, { find: () => openFinder(pages()), language: nextLanguage, theme: otherTheme, logout: end });
  drawPlay(redraw);
  const main = $('#main');
  main.className = session ? `view-${view}` : 'view-login';
  if (!session) return show(main, loginPage(redraw, start));
  const page = {
    cluster: () => clusterPage(redraw),
    service: () => servicePage(id, redraw),
    services: () => servicesPage(redraw),
    rules: () => rulesPage(id, redraw),
    nodes: nodesPage,
    node: () => nodePage(id, redraw),
    history: () => historyPage(id, looked, redraw),
  }[view];
  show(main, page ? page() : nothing(h('h1', null, t('page.none')), null, '#/', t('nav.cluster')));
  refreshDialog();
}

const pages = () => Object.entries(PAGES).map(([view, page]) => ({ view, shape: view, name: t(`nav.${view}`), to: page.to }));

// Choices of who looks; they are kept in the browser.

function nextLanguage() {
  const next = languages[(languages.indexOf(currentLanguage()) + 1) % languages.length];
  localStorage.setItem('ha-language', next);
  speak(next);
  redraw();
}

function otherTheme() {
  const theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
  localStorage.setItem('ha-theme', theme);
  document.documentElement.dataset.theme = theme;
}

const darkness = matchMedia('(prefers-color-scheme: dark)');
function applyTheme() {
  document.documentElement.dataset.theme = localStorage.getItem('ha-theme') ?? (darkness.matches ? 'dark' : 'light');
}

// What comes.

function take(news) {
  if (news.denied) return void onDenied();
  if (news.status) {
    tellChanges(news.before, news.status);
    facts.refresh(redraw);
    refreshPlay(redraw);
    if (place().view === 'cluster' && travels(news.before, news.status)) return;
  }
  redraw();
}

/** Chips whose service has another node go there, so that the eye can follow. True if it has drawn. */
function travels(before, after) {
  if (!before || stillness.matches || document.hidden) return false;
  const places = new Map(before.services.map((service) => [service.sid, service.node]));
  const moved = after.services
    .filter((service) => places.has(service.sid) && places.get(service.sid) !== service.node)
    .map((service) => service.sid);
  if (!moved.length || moved.length > 40) return false;
  const spot = (sid) => $(`#main [data-sid="${CSS.escape(sid)}"]`);
  const from = new Map(moved.map((sid) => [sid, spot(sid)?.getBoundingClientRect()]));
  drawAll();
  for (const sid of moved) {
    const [old, chip] = [from.get(sid), spot(sid)];
    if (!old || !chip) continue;
    const place = chip.getBoundingClientRect();
    const way = `translate(${old.left - place.left}px, ${old.top - place.top}px)`;
    chip.animate(
      [
        { transform: way, zIndex: 5 },
        { transform: 'none', zIndex: 5 },
      ],
      { duration: 420, easing: 'cubic-bezier(.2, .7, .2, 1)' },
    );
  }
  return true;
}

const LOST = new Set(['silent', 'to_be_fenced']);
/** Tells who does not see the page that a node was lost or is back. */
function tellChanges(before, after) {
  if (!before) return;
  const were = new Map(before.nodes.map((node) => [node.node, LOST.has(node.state)]));
  for (const node of after.nodes) {
    const isLost = LOST.has(node.state);
    if (were.has(node.node) && were.get(node.node) !== isLost) tell(t(isLost ? 'said.lost' : 'said.back', { node: node.node }));
  }
}

const tell = (text) => {
  $('#said').textContent = text;
};

async function onDenied() {
  if (!session) return;
  // Who was refused often enough is told to wait instead of why.
  const who = await whoLooks().catch((error) => (error.status === 429 ? forget() : session));
  if (who) return listen(take);
  close(true);
}

function close(isOver) {
  leave();
  facts.forget();
  Object.assign(known, { status: null, at: 0, lost: null });
  sayLogin(isOver);
  redraw();
}

async function end() {
  await logout().catch(() => {});
  close(false);
}

let renewal = null;
function start() {
  clearInterval(renewal);
  if (session.renew_after_s)
    renewal = setInterval(
      () =>
        whoLooks().then(
          (who) => who ?? close(true),
          () => {},
        ),
      session.renew_after_s * 1000,
    );
  listen(take);
  redraw();
}

// What follows from time alone: ages, and the countdown of a failover.

let wasStale = false;
let ticks = 0;
setInterval(() => {
  if (!session || document.hidden) return;
  ticks += 1;
  refreshPlay(redraw);
  const isCounting = known.status?.nodes.some((node) => LOST.has(node.state)) || known.status?.failovers.length > 0;
  if (isCounting || ticks % 10 === 0) redraw();
  if (isStale() !== wasStale) {
    wasStale = isStale();
    tell(t(wasStale ? 'said.stale' : 'said.live'));
  }
}, 100);

// Keys.

function step(by) {
  const rows = $$('#main a.chip').filter((chip) => chip.getClientRects().length);
  const at = rows.indexOf(document.activeElement);
  rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

const press = (name) => () => $(`#main [data-act="${name}"]:not(:disabled)`)?.click();
const KEYS = {
  '/': () => openFinder(pages()),
  f: focusFilter,
  t: otherTheme,
  j: () => step(1),
  k: () => step(-1),
  a: press('add'),
  e: press('edit'),
  m: press('move'),
  g: () => {
    isGoing = true;
  },
};
/** After `g` a letter goes to a page. */
const PLACES = { c: 'cluster', s: 'services', r: 'rules', n: 'nodes', h: 'history' };
let isGoing = false;

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !session || isOpen()) return;
  if (event.target.matches('input, select, textarea')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (isGoing) {
    isGoing = false;
    const view = PLACES[event.key];
    if (view) location.hash = PAGES[view].to;
    return;
  }
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

addEventListener('hashchange', () => {
  $('#dialog').close();
  drawAll();
  $('#main').focus({ preventScroll: true });
  scrollTo(0, 0);
});
addEventListener('pageshow', (event) => {
  if (event.persisted && session) start();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && session) {
    look();
    redraw();
  }
});
$('#dialog').addEventListener('close', () => {
  // It is told late: another one may be open by then.
  if (!$('#dialog').open) forgetDialog();
});
darkness.addEventListener('change', applyTheme);
for (const query of ['(max-width: 640px)', '(max-width: 1180px)']) matchMedia(query).addEventListener('change', redraw);

applyTheme();
speak(localStorage.getItem('ha-language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'));
redraw();
whoLooks().then(
  (who) => {
    if (who) start();
    else redraw();
  },
  () => redraw(),
);
