// Who looks says so: by a password, or by a token.

import { Refused, login, loginByToken } from './api.js';
import { $, h } from './dom.js';
import { t } from './texts.js';

const form = { isByToken: false, problem: '', isOver: false, isBusy: false };

/** Says that a login is over, where the form is shown next. */
export const say = (isOver) => {
  form.isOver = isOver;
};

export function loginPage(redraw, done) {
  const submit = async (event) => {
    event.preventDefault();
    if (form.isBusy) return;
    Object.assign(form, { isBusy: true, problem: '' });
    redraw();
    try {
      if (form.isByToken) await loginByToken($('#token').value);
      else await login($('#user').value.trim(), $('#password').value);
      form.isOver = false;
      done();
    } catch (error) {
      const isWrong = error instanceof Refused && error.status === 401;
      form.problem = isWrong ? t('login.wrong') : error instanceof Refused ? error.message : t('login.none', { why: error.message });
    } finally {
      form.isBusy = false;
      redraw();
    }
  };
  const other = () => {
    Object.assign(form, { isByToken: !form.isByToken, problem: '' });
    redraw();
  };
  const field = (id, label, props) =>
    h(
      'label',
      { key: id },
      t(label),
      h('input', {
        id,
        required: true,
        autocapitalize: 'none',
        spellcheck: 'false',
        'aria-describedby': form.problem ? 'login-problem' : null,
        ...props,
      }),
    );
  return h(
    'form',
    { class: 'box login form', onsubmit: submit },
    h('h1', null, t('login.title')),
    form.isOver && h('p', null, t('login.over')),
    form.isByToken
      ? field('token', 'login.token', { type: 'password', placeholder: t('login.token.example'), autocomplete: 'off' })
      : [
          field('user', 'login.user', { placeholder: t('login.user.example'), autocomplete: 'username' }),
          field('password', 'login.password', { type: 'password', autocomplete: 'current-password' }),
        ],
    form.problem && h('p', { class: 'is-trouble', id: 'login-problem', role: 'alert' }, form.problem),
    h(
      'p',
      { class: 'row' },
      h('button', { class: 'button primary', type: 'submit', disabled: form.isBusy }, t('login.do')),
      h('button', { class: 'link', type: 'button', onclick: other }, t(form.isByToken ? 'login.by.password' : 'login.by.token')),
    ),
    h('p', { class: 'hint' }, t('login.how', { command: 'ha user add alice@local --role operate --password-file -' })),
  );
}
