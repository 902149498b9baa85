// What the cluster tells: its whole status, and what happens, as it happens. One stream serves all tabs, since a browser has no more than
// six connections to a server.

const STATUS_INTERVAL = 2000;
/** Several events in a row are one reason to look. */
const GATHER = 60;
const LEAST_PAUSE = 250;
const LONGEST_RETRY = 10000;
/** The server says something every 15 s. */
const SILENCE = 40000;

export class Stream {
  #tell;
  #credentials;
  #last = null;
  #running = null;
  #looking = null;
  #lookedAt = 0;
  #cost = 0;
  #wanted = null;

  /** `tell` is called with what there is to tell: `status`, `entries`, `lost` or `denied`. */
  constructor(tell) {
    this.#tell = tell;
  }

  /** Begins, or goes on where the same person looks already, unless it must begin again. */
  start(credentials, isAnew = false) {
    const isSame = !isAnew && this.#running && JSON.stringify(credentials) === JSON.stringify(this.#credentials);
    if (isSame) return this.look();
    this.stop();
    this.#credentials = credentials;
    this.#running = new AbortController();
    this.#listen(this.#running.signal);
    this.#keepLooking(this.#running.signal);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
  }

  /** Reads the status soon. */
  look() {
    this.#wanted ??= setTimeout(
      () => {
        this.#wanted = null;
        this.#read();
      },
      Math.max(GATHER, this.#lookedAt + LEAST_PAUSE + this.#cost * 4 - Date.now()),
    );
  }

  #headers() {
    return this.#credentials.token ? { authorization: `Bearer ${this.#credentials.token}` } : {};
  }

  async #read() {
    const running = this.#running;
    if (!running || this.#looking) return this.#looking;
    const began = Date.now();
    this.#looking = this.#readOnce(running).finally(() => {
      this.#looking = null;
      this.#lookedAt = Date.now();
      this.#cost = this.#lookedAt - began;
    });
    return this.#looking;
  }

  async #readOnce(running) {
    try {
      const signal = AbortSignal.any([running.signal, AbortSignal.timeout(6000)]);
      const response = await fetch(new URL('status', this.#credentials.base), { headers: this.#headers(), signal });
      if (response.status === 401 || response.status === 403) return this.#deny();
      if (!response.ok) throw new Error(`${response.status}`);
      this.#tell({ status: await response.text(), at: Date.now() });
    } catch (error) {
      if (!running.signal.aborted) this.#tell({ lost: 'status', why: error.message });
    }
  }

  async #keepLooking(signal) {
    while (!signal.aborted) {
      await this.#read();
      // A big cluster is not asked faster than it answers.
      await pause(Math.max(STATUS_INTERVAL, this.#cost * 8), signal);
    }
  }

  async #listen(signal) {
    let retry = 500;
    while (!signal.aborted) {
      try {
        await this.#hear(signal, () => {
          retry = 500;
        });
      } catch (error) {
        if (signal.aborted) return;
        this.#tell({ lost: 'events', why: error.message, retryAt: Date.now() + retry });
      }
      await pause(retry, signal);
      retry = Math.min(LONGEST_RETRY, retry * 2);
    }
  }

  /** Listens until the stream ends. */
  async #hear(signal, begun) {
    const silence = new AbortController();
    let watch = setTimeout(() => silence.abort(), SILENCE);
    const headers = this.#last === null ? this.#headers() : { ...this.#headers(), 'last-event-id': this.#last };
    try {
      const either = AbortSignal.any([signal, silence.signal]);
      const response = await fetch(new URL('events', this.#credentials.base), { headers, signal: either });
      if (response.status === 401 || response.status === 403) return this.#deny();
      if (!response.ok) throw new Error(`${response.status}`);
      begun();
      this.look();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ''; ;) {
        const { value, done } = await reader.read();
        if (done) throw new Error('the stream has ended');
        clearTimeout(watch);
        watch = setTimeout(() => silence.abort(), SILENCE);
        const blocks = (text + value).split('\n\n');
        text = blocks.pop();
        this.#take(blocks);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  #take(blocks) {
    const entries = [];
    for (const block of blocks) {
      const field = (name) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      this.#last = field('id') ?? this.#last;
      const [name, data] = [field('event'), field('data')];
      if (name === 'reset') this.#tell({ reset: true });
      else if (data) entries.push(JSON.parse(data));
      if (data) this.look();
    }
    if (entries.length) this.#tell({ entries });
  }

  #deny() {
    this.stop();
    this.#tell({ denied: true });
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
