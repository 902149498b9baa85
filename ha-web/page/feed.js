// What the page knows of the cluster, and how old that is.

import { credentials, session } from './api.js';
import { Stream } from './stream.js';

/** The last status, when it came, and what is wrong with the connection. */
export const known = { status: null, at: 0, skew: 0, lost: null, retryAt: 0 };
/** The last entries of the history that came while the page was open, the newest last. */
export const heard = [];

const MOST_HEARD = 500;
/** A status that is older is not what is. */
const FRESH = 6000;

let port = null;

/** Listens. `changed` is called with what has come. */
export function listen(changed) {
  const take = (news) => {
    if (news.status) {
      const before = known.status;
      known.status = JSON.parse(news.status);
      known.at = news.at;
      known.skew = Date.parse(known.status.time) - news.at;
      known.lost = null;
      changed({ status: known.status, before });
      return;
    }
    if (news.entries) {
      heard.push(...news.entries);
      heard.splice(0, heard.length - MOST_HEARD);
    }
    if (news.lost) [known.lost, known.retryAt] = [news.why || news.lost, news.retryAt ?? known.retryAt];
    changed(news);
  };
  leave();
  if ('SharedWorker' in window) {
    const options = { type: 'module', name: `ha ${session?.name ?? ''}` };
    const worker = new SharedWorker(new URL('worker.js', import.meta.url), options);
    worker.port.onmessage = ({ data }) => take(data);
    port = { send: (message) => worker.port.postMessage(message) };
  } else {
    const stream = new Stream(take);
    const send = (message) => {
      if (message.leave) stream.stop();
      else if (message.look) stream.look();
      else stream.start(message.credentials, message.isAnew);
    };
    port = { send };
  }
  port.send({ credentials: credentials() });
}

/** Asks for the status soon: something was changed. */
export const look = () => port?.send({ look: true });

/** Connects again at once. */
export const reconnect = () => port?.send({ credentials: credentials(), isAnew: true });

export function leave() {
  port?.send({ leave: true });
  port = null;
}
addEventListener('pagehide', leave);

/** Seconds since the status came. */
export const age = () => (known.at ? Math.max(0, (Date.now() - known.at) / 1000) : 0);

export const isStale = () => known.at > 0 && Date.now() - known.at > FRESH;

/** Now, by the clock of the server: milliseconds since 1970. The time of a cluster that is played passes faster, slower or not at all. */
export function now() {
  const rate = known.status?.play?.rate ?? 1;
  return known.at + known.skew + (Date.now() - known.at) * rate;
}
