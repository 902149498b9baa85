// Elements described as plain values, and a document that is brought in line with them. What has not changed is not touched, so that
// focus, scrolling and selection stay where they are.

const SVG = 'http://www.w3.org/2000/svg';

/** Describes an element. A list among the children is taken apart; null, undefined, false and '' are nothing. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: flattened(children), key: props?.key };
}

/** What stands where there is not what was looked for: a heading, a text if there is more to say, and a way on. */
export function nothing(heading, text, href, way) {
  return h('div', { class: 'nothing' }, heading, text && h('p', null, text), h('a', { href }, way));
}

/** An element that is described again only when its mark, a text, is another one. */
export function kept(key, mark, describe) {
  return { key, mark, describe };
}

function flattened(children, into = []) {
  for (const child of children) {
    if (Array.isArray(child)) flattened(child, into);
    else if (child !== null && child !== undefined && child !== false && child !== '') into.push(child);
  }
  return into;
}

/** What each element was made of. */
const made = new WeakMap();

/** Brings the children of an element in line with a description. */
export function show(parent, ...children) {
  reconcile(parent, flattened(children));
}

function identity(child, position) {
  if (typeof child !== 'object') return `text ${position}`;
  return child.key === undefined ? `${child.tag} ${position}` : `key ${child.key}`;
}

function reconcile(parent, children) {
  const old = new Map();
  for (const node of [...parent.childNodes]) {
    const known = made.get(node);
    if (known) old.set(known.identity, node);
    else node.remove();
  }
  const wanted = children.map((child, position) => {
    const name = identity(child, position);
    const node = old.get(name);
    old.delete(name);
    return renewed(node, child, name, parent);
  });
  for (const node of old.values()) node.remove();
  let next = parent.firstChild;
  for (const node of wanted) {
    if (node === next) next = next.nextSibling;
    else if (node.parentNode === parent && parent.moveBefore) parent.moveBefore(node, next);
    else parent.insertBefore(node, next);
  }
}

function renewed(node, child, name, parent) {
  if (typeof child !== 'object') {
    const text = String(child);
    if (!node) node = document.createTextNode(text);
    else if (node.data !== text) node.data = text;
    made.set(node, { identity: name });
    return node;
  }
  const known = node && made.get(node);
  if (child.describe) {
    if (known && known.mark === child.mark) return node;
    const described = child.describe();
    node = renewed(node, { ...described, key: child.key }, name, parent);
    made.get(node).mark = child.mark;
    return node;
  }
  if (!node || known.tag !== child.tag) {
    node?.remove();
    const isSvg = child.tag === 'svg' || parent.namespaceURI === SVG;
    node = isSvg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
  }
  const before = made.get(node)?.props ?? {};
  for (const property in before) if (!(property in child.props)) put(node, property, null, before[property]);
  for (const property in child.props) {
    if (before[property] !== child.props[property]) put(node, property, child.props[property], before[property]);
  }
  made.set(node, { identity: name, tag: child.tag, props: child.props });
  reconcile(node, child.children);
  // What a person types or picks is theirs: it is set when the description changes, never put back.
  if ('value' in child.props && before.value !== child.props.value) node.value = child.props.value ?? '';
  if ('checked' in child.props && before.checked !== child.props.checked) node.checked = Boolean(child.props.checked);
  return node;
}

function put(node, property, value, before) {
  if (property === 'key' || property === 'value' || property === 'checked') return;
  if (property === 'sizes') {
    // Sizes that come from data. The page's policy forbids a style attribute, not this.
    for (const name in before ?? {}) node.style.removeProperty(`--${name}`);
    for (const name in value ?? {}) node.style.setProperty(`--${name}`, value[name]);
  } else if (property.startsWith('on')) {
    node[property] = value;
  } else if (value === null || value === undefined || value === false) {
    node.removeAttribute(property);
  } else {
    node.setAttribute(property, value === true ? '' : value);
  }
}

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
