// Drives a browser through the ERP and writes a report. It asserts nothing itself: problems are listed.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Pages } from './pages.mjs';
import { assistant, off, story } from './story.mjs';
import { control, sweep } from './vectors.mjs';

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const require = createRequire(path.join(plan.modules, 'node_modules', 'x.js'));
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const report = { problems: [], screenshots: 0, accessibility: 0, seconds: {} };
const expect = (holds, what) => { if (!holds) report.problems.push(what); };
const pages = new Pages({ axe, shots: plan.shots, report });
const LANGUAGES = { en: 'en-GB', fr: 'fr-FR', de: 'de-DE' };

const browser = await chromium.launch({ executablePath: plan.chromium, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

async function timed(name, work) {
  if (plan.only && !plan.only.split(',').includes(name)) return;
  const began = Date.now();
  try {
    report[name] = (await work()) ?? true;
  } catch (error) {
    report.problems.push(`${name}: ${error.stack}`);
  }
  report.seconds[name] = Math.round((Date.now() - began) / 100) / 10;
}

async function inEach(languages, work) {
  await Promise.all(languages.map(async (language) => {
    const context = await browser.newContext({ locale: LANGUAGES[language], viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
    await work(await context.newPage(), language);
    await context.close();
  }));
}

const all = Object.keys(LANGUAGES);

await timed('control', () => control(browser, plan.full));

let told;
await timed('story', async () => {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  told = await story(page, plan.full, plan.secret, async () => {}, expect);
  await context.close();
  return told;
});

// The same in French and in German, each in a company of its own.
await timed('languages', () => inEach(['fr', 'de'], async (page, language) => {
  page.setDefaultTimeout(30000);
  await story(page, plan[language], plan.secret, async () => {}, (holds, what) => expect(holds, `${language}: ${what}`), language);
}));

// An opportunity of the mail with the longest subject.
let running;
await timed('long', async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`${plan.full}/mails?q=foundation`);
  await page.locator('.mails a.subject').first().click();
  await page.locator('#create-opportunity').click();
  await page.waitForSelector('button[value=first]');
  running = new URL(page.url()).pathname;
  await context.close();
});

// Every page with data, and with subjects of 300 characters.
await timed('data', () => inEach(all, async (page, language) => {
  const base = plan.full;
  const look = async (name, address) => {
    await page.goto(`${base}${address}`);
    await pages.look(page, name, language);
  };
  const linked = async (address, selector) => {
    await page.goto(`${base}${address}`);
    return page.locator(selector).first().getAttribute('href');
  };
  await look('home', '/');
  await look('contacts', '/contacts');
  await look('contact', '/contacts/C0101');
  await look('company', '/contacts/C0100');
  await look('contact-edit', '/contacts/C0101/edit');
  await look('history', '/contacts/C0101/entries?direction=in');
  await look('mails', '/mails');
  await look('entry', told.entry);
  await look('opportunities', '/opportunities');
  await look('opportunity-won', told.opportunity);
  await look('opportunity-lost', told.lost);
  await look('opportunities-filtered', '/opportunities?status=won&salesperson=AH');
  await look('privacy', '/privacy?contact=C0101');
  await page.click('#erase-preview');
  await page.waitForSelector('.sums');
  await pages.look(page, 'privacy-erase', language);
  await page.click('#retention-preview');
  await page.waitForSelector('.sums');
  await pages.look(page, 'privacy-retention', language);
  await page.goto(`${base}/privacy`);
  await page.click('#canceled-preview');
  await page.waitForSelector('.sums');
  await pages.look(page, 'privacy-canceled', language);
  await look('remove', `${told.entry}/remove`);
  await look('who', '/sign-in');
  await look('activity', '/activity');
  await page.setViewportSize({ width: 390, height: 900 });
  const months = await page.$$eval('.columns > div', (all) => all.map((one) => {
    const tall = [...one.querySelectorAll('rect')].reduce((sum, rect) => sum + rect.getBoundingClientRect().height, 0);
    return one.checkVisibility() && one.querySelector('span').checkVisibility() ? tall : -1;
  }));
  expect(months.length > 6 && months.every((tall) => tall >= 0), 'every month of the plot is shown on a telephone');
  expect(Math.max(...months) > 100, 'the month with the most mail is as high as the plot');
  await page.setViewportSize({ width: 1280, height: 900 });
  await look('review', '/review');
  await look('review-item', await linked('/review', '.mails a.subject'));
  await look('review-left-out', '/review?excluded=yes');
  await look('never-log', '/never-log?rule=stranger@elsewhere.example');
  await look('why', '/why');
  await look('health', '/health');
  await look('settings', '/settings');
  await page.click('#validate');
  await page.waitForSelector('.verdict');
  await pages.look(page, 'validation-on', language);
  await look('why-found', '/why?q=delorme');
  for (const [name, words] of [['attachments', 'devis'], ['html', plan.html], ['smime', 'contract draft'], ['winmail', 'cold room']]) {
    const found = await linked(`/mails?q=${encodeURIComponent(words)}`, '.mails a.subject');
    await look(`entry-${name}`, found);
  }
  const long = await linked('/mails?q=foundation', '.mails a.subject');
  await pages.look(page, 'mails-long', language);
  await look('entry-long', long);
  await look('opportunity-long', running);
}));

await timed('running', async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`${plan.full}${running}`);
  await page.fill('#value', '250');
  await page.click('button[value=first]');
  await page.waitForSelector('button[value=next]');
  await context.close();
  await inEach(all, async (own, language) => {
    await own.goto(`${plan.full}${running}`);
    await pages.look(own, 'opportunity-running', language);
    await own.selectOption('#code', 'BEST-OFFER');
    await own.click('button[value=close]');
    await own.waitForSelector('[role=alert]');
    await pages.look(own, 'opportunity-error', language);
    await own.goto(`${plan.full}/opportunities`);
    await pages.look(own, 'opportunities-long', language);
  });
});

// What fails, and says so.
await timed('errors', () => inEach(all, async (page, language) => {
  const base = plan.full;
  const answer = await page.goto(`${base}/nowhere`);
  expect(answer.status() === 404, 'an unknown page is 404');
  await pages.look(page, 'not-found', language);
  await page.goto(`${base}/never-log?rule=a@b.example`);
  await page.evaluate(() => document.querySelectorAll('input[name=token]').forEach((one) => { one.value = 'x'; }));
  const [refused] = await Promise.all([page.waitForNavigation(), page.click('#add')]);
  expect(refused.status() === 403, 'a foreign form is 403');
  await pages.look(page, 'forbidden', language);
  await page.goto(`${base}/never-log`);
  await page.fill('#rule', '*');
  await page.click('#add');
  await page.waitForLoadState();
  await pages.look(page, 'never-log-error', language);
  for (const [name, address] of [['mails-none', '/mails?q=nowhere-at-all'], ['why-none', '/why?q=nowhere-at-all'], ['contacts-none', '/contacts?q=nowhere']]) {
    await page.goto(`${base}${address}`);
    await pages.look(page, name, language);
  }
  await page.goto(`${base}/settings`);
  expect(await page.locator('#storage-folder').isDisabled(), 'the set-up is fixed while logging is on');
}));

// Before there is anything, behind a password, and through the assistant.
await timed('empty', () => inEach(all, async (page, language) => {
  const base = plan.empty;
  page.setDefaultTimeout(20000);
  await page.goto(`${base}/contacts`);
  expect(page.url() === `${base}/sign-in`, 'nobody comes in without the password');
  await pages.look(page, 'sign-in', language);
  await page.fill('#password', 'wrong password');
  await page.click('main button');
  await page.waitForLoadState();
  await pages.look(page, 'sign-in-wrong', language);
  await page.selectOption('#person', 'AH');
  await page.fill('#password', plan.password);
  await page.click('main button');
  await page.waitForLoadState();
  await pages.look(page, 'home-salesperson', language);
  const refused = await page.goto(`${base}/settings`);
  expect(refused.status() === 403, 'the set-up is not a salesperson\'s');
  await pages.look(page, 'not-yours', language);
  await page.goto(`${base}/sign-in`);
  await page.selectOption('#person', 'ADMIN');
  await page.fill('#password', plan.password);
  await page.click('main button');
  await page.waitForLoadState();
  for (const [name, address] of [
    ['home-none', '/'], ['contact-none', '/contacts/C0101'], ['history-none', '/contacts/C0101/entries'], ['mails-empty', '/mails'],
    ['opportunities-none', '/opportunities'], ['activity-none', '/activity'], ['review-none', '/review'], ['never-log-none', '/never-log'],
    ['why-empty', '/why'], ['health-off', '/health'], ['settings-off', '/settings'],
  ]) {
    await page.goto(`${base}${address}`);
    await pages.look(page, name, language);
  }
  await page.goto(`${base}/settings`);
  await page.fill('#storage-folder', '\\Email Logging\\Queue\\');
  await Promise.all([page.waitForNavigation(), page.click('#save')]);
  expect((await page.locator('[role=alert]').count()) === 1, 'a set-up that breaks a rule is told');
  expect((await page.inputValue('#storage-folder')).includes('Queue'), 'what was typed stays');
  await pages.look(page, 'settings-error', language);
  await page.goto(`${base}/assistant`);
  await Promise.all([page.waitForNavigation(), page.click('button[value=online]')]);
  expect((await page.inputValue('#service')) === 'graph', 'Graph is proposed for Exchange Online');
  await pages.look(page, 'assistant-online', language);
  await page.locator('button[value=leave]').click();
  await page.waitForLoadState();
  await page.locator('button[value=leave-yes]').click();
  await page.waitForLoadState();
  await page.goto(`${base}/`);
  await assistant(page, plan.secret, (name) => pages.look(page, name, language));
  await page.locator('button[value=leave]').click();
  await page.waitForLoadState();
  await pages.look(page, 'assistant-leave', language);
}));

// What people did: comments, what is cancelled, private, on hold; names and words of 300 characters; and what is refused.
const LONG = 'An exceptionally long name that somebody once typed '.repeat(6).slice(0, 300);
let quoted;
await timed('done', async () => {
  const base = plan.full;
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  const press = async (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
  await page.goto(`${base}/contacts/C0102/edit`);
  await page.fill('#name', LONG);
  await press('#save');
  await page.goto(`${base}${told.entry}`);
  await page.fill('#comment', `${LONG} ${'x'.repeat(200)}`);
  await press('form[action$="/comment"] button');
  await press('#cancel');
  await press('#hold');
  const links = await page.goto(`${base}/review`).then(() => page.$$eval('.mails a.subject', (all) => all.map((one) => one.href)));
  await page.goto(`${base}/mails?q=warranty`);
  await press('.mails a.subject');
  await press('#create-opportunity');
  quoted = new URL(page.url()).pathname;
  await page.selectOption('#cycle', 'PROJECTS');
  await press('button[value=cycle]');
  await page.fill('#value', '4000');
  await press('button[value=first]');
  expect((await page.locator('#quote-of .note.warn').count()) === 1, 'the next stage asks for a quote');
  await page.fill('#quote', 'Q-1001');
  await page.fill('#quote-value', '3900');
  await press('button[value=quote]');
  await press('button[value=next]');
  await page.goto(links[1]);
  await press('#ignore');
  await page.goto(links[2]);
  await page.fill('#contact', 'C0111');
  await page.selectOption('#salesperson', 'AH');
  await press('#assign');
  await context.close();
  await inEach(all, async (own, language) => {
    const look = async (name, address) => {
      await own.goto(address.startsWith('http') ? address : `${base}${address}`);
      await pages.look(own, name, language);
    };
    await look('entry-done', told.entry);
    await look('contact-long', '/contacts/C0102');
    await own.goto(`${base}/contacts/C0101/edit`);
    await own.fill('#into', 'C0102');
    await Promise.all([own.waitForNavigation(), own.click('#merge')]);
    await pages.look(own, 'merge', language);
    await own.goto(`${base}/contacts/C0101/edit`);
    await own.fill('#into', 'vallée');
    await Promise.all([own.waitForNavigation(), own.click('#merge')]);
    await pages.look(own, 'merge-which', language);
    await own.goto(`${base}/review`);
    await own.locator('input[name=pick]').first().check();
    await own.fill('#many-contact', 'nowhere');
    await Promise.all([own.waitForNavigation(), own.click('#assign-many')]);
    await pages.look(own, 'review-many', language);
    await look('opportunity-quote', quoted);
    await look('contacts-long', '/contacts');
    await look('review-ignored', '/review?state=ignored');
    await look('review-item-ignored', links[1]);
    await look('review-assigned', '/review?state=assigned');
    await own.goto(links[0]);
    await own.fill('#contact', 'vallée');
    await own.evaluate(() => document.querySelectorAll('#log-it input[name=candidate]').forEach((one) => { one.checked = false; }));
    await own.selectOption('#salesperson', 'AH');
    await Promise.all([own.waitForNavigation(), own.click('#assign')]);
    await pages.look(own, 'review-item-which', language);
    await own.goto(links[0]);
    await own.evaluate(() => document.querySelectorAll('input[name=version]').forEach((one) => { one.value = '9'; }));
    await Promise.all([own.waitForNavigation(), own.click('#ignore')]);
    await pages.look(own, 'review-refused', language);
    await own.goto(`${base}/contacts/C0101/edit`);
    await own.fill('#email', 'nobody');
    await Promise.all([own.waitForNavigation(), own.click('#save')]);
    await pages.look(own, 'contact-edit-error', language);
  });
});

// The documents of frames, which the checker cannot enter.
await timed('frames', async () => {
  for (const language of all) {
    const context = await browser.newContext({ locale: LANGUAGES[language], bypassCSP: true });
    const page = await context.newPage();
    for (const [name, words] of [['original-html', plan.html], ['original-text', 'foundation']]) {
      await page.goto(`${plan.full}/mails?q=${words}`);
      const link = await page.locator('.mails a.subject').first().getAttribute('href');
      await page.goto(`${plan.full}${link}/original`);
      const formatted = await page.locator('body > pre').count();
      expect((formatted === 0) === (name === 'original-html'), `${name} is what it is called`);
      await pages.frame(page, name, language);
    }
    await context.close();
  }
});

// In the dark, where colours are others.
await timed('dark', async () => {
  const context = await browser.newContext({ locale: 'en-GB', colorScheme: 'dark', viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  for (const [name, address] of [['home', '/'], ['contact', '/contacts/C0101'], ['entry', told.entry], ['activity', '/activity'], ['opportunity', told.opportunity], ['review', '/review'], ['why', '/why'], ['settings', '/settings']]) {
    await page.goto(`${plan.full}${address}`);
    await pages.look(page, name, 'en', 'dark');
  }
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  await page.goto(`${plan.full}${told.entry}`);
  await page.screenshot({ path: path.join(plan.shots, 'entry-print.jpg'), fullPage: true, type: 'jpeg', quality: 75 });
  await context.close();
});

// A private mail: for the administration, and in the list of a colleague, where it is not.
await timed('private', async () => {
  const base = plan.full;
  const as = async (page, code) => {
    await page.goto(`${base}/sign-in`);
    await page.selectOption('#person', code);
    await Promise.all([page.waitForNavigation(), page.click('main button')]);
  };
  await inEach(all, async (page, language) => {
    await as(page, 'AH');
    await page.goto(`${base}${told.entry}`);
    if ((await page.locator('#reason').count()) === 1) {
      await page.fill('#reason', 'personal');
      await Promise.all([page.waitForNavigation(), page.click('#private')]);
    }
    await pages.look(page, 'entry-private', language);
    await as(page, 'ADMIN');
    await page.goto(`${base}${told.entry}`);
    expect((await page.locator('iframe').count()) === 0, 'what is private is not shown to the administration');
    expect((await page.locator('#private').count()) === 0, 'nor may it share it again');
    await pages.look(page, 'entry-hidden', language);
    await as(page, 'BK');
    const gone = await page.goto(`${base}${told.entry}`);
    expect(gone.status() === 404, 'what is private is not there for a colleague');
    expect(!(await page.goto(`${base}/mails`).then(() => page.content())).includes(`${told.entry}"`), 'nor in the list');
  });
});

// Switches logging on behind the hostile queue, and waits until all of it is logged.
async function enabled(base, mails) {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  await page.goto(`${base}/`);
  const keys = await assistant(page, plan.secret, async () => {});
  await keys.go('#finish');
  let found = 0;
  for (let tries = 0; tries < 480 && found < mails; tries += 1) {
    await page.waitForTimeout(250);
    await page.goto(`${base}/mails`);
    found = Number((await page.textContent('main section h2')).match(/\d+/)[0]);
  }
  expect(found === mails, `${found} of ${mails} hostile mails are logged`);
  await page.goto(`${base}/health`);
  await context.close();
}

await timed('enabled', () => enabled(plan.hostile, plan.mails));
await timed('vectors', () => sweep(browser, plan, plan.hostile, expect));

await timed('off', async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  await off(await context.newPage(), plan.full, expect);
  await context.close();
});

await browser.close();
fs.writeFileSync(plan.report, JSON.stringify(report, null, 2));
