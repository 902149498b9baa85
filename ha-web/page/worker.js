// One stream for all tabs of a browser that are known in the same way.

import { Stream } from './stream.js';

const tabs = new Set();
let latest = null;

const stream = new Stream((news) => {
  if (news.status) latest = news;
  for (const tab of tabs) tab.postMessage(news);
});

self.addEventListener('connect', (event) => {
  const [tab] = event.ports;
  tab.onmessage = ({ data }) => {
    if (data.leave) {
      tabs.delete(tab);
      if (!tabs.size) stream.stop();
    } else if (data.look) {
      stream.look();
    } else {
      tabs.add(tab);
      if (latest) tab.postMessage(latest);
      stream.start(data.credentials, data.isAnew);
    }
  };
});
