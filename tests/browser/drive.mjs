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
  await look('history', '/contacts/C0101/entries?direction=in');
  await look('mails', '/mails');
  await look('entry', told.entry);
  await look('opportunities', '/opportunities');
  await look('opportunity-won', told.opportunity);
  await look('activity', '/activity');
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
  await page.goto(`${base}/settings`);
  await page.evaluate(() => document.querySelectorAll('input[name=token]').forEach((one) => { one.value = 'x'; }));
  const [refused] = await Promise.all([page.waitForNavigation(), page.click('#save')]);
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
  await page.fill('#storage-folder', '\\Email Logging\\Queue\\');
  await page.click('#save');
  await page.waitForLoadState();
  expect((await page.locator('[role=alert]').count()) === 1, 'a set-up that breaks a rule is told');
  await pages.look(page, 'settings-error', language);
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
  await page.goto(`${base}/`);
  await assistant(page, plan.secret, (name) => pages.look(page, name, language));
  await page.locator('button[value=leave]').click();
  await page.waitForLoadState();
  await pages.look(page, 'assistant-leave', language);
}));

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
await timed('vectors', () => sweep(browser, plan.hostile, expect));

await timed('off', async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  await off(await context.newPage(), plan.full, expect);
  await context.close();
});

await browser.close();
fs.writeFileSync(plan.report, JSON.stringify(report, null, 2));
