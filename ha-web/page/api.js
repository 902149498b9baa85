// Calls of the interface, by the name of who looks at the page.

const BASE = new URL('../api/v1/', import.meta.url);
const TOKEN = 'ha-token';

/** Who looks, as the server says; nothing before that is known. */
export let session = null;
/** A token that stands for a login; it is kept for this tab only. */
let token = sessionStorage.getItem(TOKEN);
/** Counts logins and logouts. */
let changes = 0;

/** Why a call was refused: a status, a stable code, and a sentence. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `${status}`);
    this.status = status;
    this.code = body.code || '';
    this.faults = body.faults || [];
    this.retryAfter = body.retry_after_s;
  }
}

/** A call got no answer at all. */
export class Unreachable extends Error {}

const authorization = () => (token ? { authorization: `Bearer ${token}` } : {});

/** Calls, and gives what was answered with the digest by which a later edit can be made conditional. */
export async function call(method, path, { query = {}, body, digest, key, patience = 8000 } = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') url.searchParams.set(name, value);
  const headers = authorization();
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (digest) headers['if-match'] = `"${digest}"`;
  if (key) headers['idempotency-key'] = key;
  if (method !== 'GET' && session?.csrf_token) headers.csrfpreventiontoken = session.csrf_token;
  let response;
  try {
    const signal = AbortSignal.timeout(patience);
    response = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch (error) {
    throw new Unreachable(error.message);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer);
  return { data: answer, digest: response.headers.get('etag')?.replaceAll('"', '') };
}

export const get = async (path, query) => (await call('GET', path, { query })).data;

/** Asks who looks, and renews the ticket. Nothing if nobody is known. */
export async function whoLooks() {
  const before = changes;
  let who = null;
  try {
    who = await get('session');
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
  }
  // That an old ticket is no good is told late: somebody may have logged in since it was asked.
  if (before === changes) session = who?.name ? who : null;
  return session;
}

export async function login(username, password) {
  forget();
  session = (await call('POST', 'session', { body: { username, password } })).data;
}

/** Is known by a token from now on, if it is good. */
export async function loginByToken(text) {
  token = text.trim();
  changes += 1;
  try {
    session = await get('session');
    sessionStorage.setItem(TOKEN, token);
  } catch (error) {
    forget();
    throw error;
  }
}

export async function logout() {
  forget();
  await call('DELETE', 'session');
}

/** Nobody is known any more. */
export function forget() {
  changes += 1;
  session = null;
  token = null;
  sessionStorage.removeItem(TOKEN);
}

/** What whoever else calls in this name must know. */
export const credentials = () => ({ base: BASE.href, token });

export const may = (privilege) => Boolean(session?.privileges.includes(privilege));
