// Texts in the language of who reads them, and numbers, times and spans as people write them.

import en from './texts/en.js';
import zh from './texts/zh.js';

const CATALOGUES = { en, zh };
let language = 'en';
let plural = new Intl.PluralRules('en');

export const languages = Object.keys(CATALOGUES);
export const currentLanguage = () => language;

/** Takes a language, if there is a catalogue for it. */
export function speak(wanted) {
  language = wanted in CATALOGUES ? wanted : 'en';
  plural = new Intl.PluralRules(language);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : language;
}

/** Whether there is a text of that name. */
export const has = (key) => key in en;

/** A text, with what stands in braces filled in. `n` decides the plural. One that is missing shows its name, so that it is seen. */
export function t(key, values = {}) {
  let text = CATALOGUES[language][key] ?? en[key] ?? key;
  if (typeof text === 'object') text = text[plural.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A text as above whose values are elements: as a list of texts and elements. */
export function parts(key, values) {
  return t(key, { n: values.n })
    .split(/(\{\w+\})/)
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      return name === undefined ? part : (values[name] ?? part);
    });
}

const unit = (number, name) => `${number}\u00a0${t(`unit.${name}`)}`;

/** Seconds: 7.2 s, 2 min 4 s, 3 h 12 min, 12 d. */
export function span(seconds, isFine = true) {
  const whole = Math.max(0, seconds);
  if (whole < 10 && isFine) return unit(whole.toFixed(1), 's');
  if (whole < 60) return unit(Math.floor(whole), 's');
  if (whole < 600) return `${unit(Math.floor(whole / 60), 'min')} ${unit(Math.floor(whole % 60), 's')}`;
  if (whole < 3600) return unit(Math.floor(whole / 60), 'min');
  if (whole < 86400) return `${unit(Math.floor(whole / 3600), 'h')} ${unit(Math.floor((whole % 3600) / 60), 'min')}`;
  return unit(Math.floor(whole / 86400), 'd');
}

export const number = (value) => new Intl.NumberFormat(language).format(value);
export const percent = (share) => `${Math.round(share * 100)}\u00a0%`;

/** A time of day, with the date where it is not today. */
export function when(milliseconds, isFine = false) {
  const date = new Date(milliseconds);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
  const options = isToday ? time : { ...time, month: 'short', day: 'numeric' };
  const text = new Intl.DateTimeFormat(language, options).format(date);
  return isFine ? `${text}.${Math.floor((((milliseconds % 1000) + 1000) % 1000) / 100)}` : text;
}

/** A long name keeps its beginning and its end: that is where names differ. */
export function short(name, most = 24) {
  return name.length <= most ? name : `${name.slice(0, most - 10)}…${name.slice(-9)}`;
}
