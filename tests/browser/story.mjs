// The whole story by keyboard alone: set-up, sign-in, validation, enabling; mail arrives; from the contact's card to the
// original and to an opportunity that is won; logging off. Only Tab, Enter, Space and what is typed.

const STEPS = 200;

export class Keyboard {
  constructor(page) {
    this.page = page;
    this.presses = 0;
  }

  async press(key) {
    this.presses += 1;
    await this.page.keyboard.press(key);
  }

  // Presses Tab until the element has the focus.
  async to(selector) {
    for (let step = 0; step < STEPS; step += 1) {
      const there = await this.page.evaluate((wanted) => {
        const one = document.activeElement;
        return Boolean(one && one.matches(wanted) && one.checkVisibility());
      }, selector);
      if (there) return;
      await this.press('Tab');
    }
    throw new Error(`Tab does not reach ${selector} on ${this.page.url()}`);
  }

  // Goes there by keyboard and presses; waits for the page that follows.
  async go(selector, key = 'Enter') {
    await this.to(selector);
    const next = this.page.waitForNavigation({ waitUntil: 'load' });
    await this.press(key);
    await next;
  }

  async tick(selector) {
    await this.to(selector);
    await this.press('Space');
  }

  async type(selector, text) {
    await this.to(selector);
    await this.page.keyboard.type(text);
  }
}

// The assisted set-up, up to its last page.
export async function assistant(page, secret, shot) {
  const keys = new Keyboard(page);
  await keys.go('main a[href="/assistant"]');
  await shot('assistant-start');
  await keys.go('button[value=on-premises]');
  await keys.go('button[value=help]');
  await shot('assistant-intro');
  await keys.go('#next');
  await shot('assistant-refused');
  await keys.tick('input[name=prepared]');
  await keys.go('#next');
  await shot('assistant-client');
  await keys.type('#client-secret', secret);
  await keys.go('#next');
  await shot('assistant-sign-in');
  await keys.go('#sign-in');
  await shot('consent');
  await keys.go('#consent');
  await shot('assistant-signed-in');
  await keys.go('#next');
  await keys.go('#check-connection');
  await shot('assistant-mailbox');
  await keys.go('#next');
  await keys.go('button[value=look-up]');
  await shot('assistant-folders');
  await keys.go('#next');
  await keys.go('button[value=plan]');
  await shot('assistant-rules');
  await keys.go('#next');
  await shot('assistant-validation');
  await keys.go('#run');
  await page.waitForSelector('.verdict.good');
  await shot('validation');
  await keys.go('#back');
  await keys.go('#next');
  await shot('assistant-done');
  return keys;
}

// Waits for a mail of the demo's customer, and opens the page of its entry. Answers its address.
async function pump(page, keys, base, number) {
  await keys.go('nav.wide a[href="/health"]');
  await keys.go('#mail');
  const words = `Pump P-${number}`;
  for (let tries = 0; tries < 80; tries += 1) {
    await page.goto(`${base}/contacts/C0101`);
    if ((await page.textContent('main')).includes(words)) break;
    await page.waitForTimeout(250);
  }
  await keys.go('#entries');
  const entry = page.locator('.mails a.subject', { hasText: words }).first();
  const link = await entry.getAttribute('href');
  await keys.go(`a[href="${link}"]`);
  return link;
}

// Chooses an entry of a list by keyboard.
async function choose(keys, page, selector, value) {
  await keys.to(selector);
  for (let step = 0; step < 20 && (await page.inputValue(selector)) !== value; step += 1) await keys.press('ArrowDown');
}

export async function story(page, base, secret, shot, expect, language = 'en') {
  await page.goto(`${base}/`);
  expect((await page.getAttribute('html', 'lang')) === language, `the pages are in ${language}`);
  await shot('home-empty');
  const keys = await assistant(page, secret, shot);
  await keys.go('#finish');
  expect(page.url() === `${base}/settings`, 'the assistant ends at the set-up');
  expect((await page.getAttribute('#switch', 'aria-checked')) === 'true', 'logging is on after the assistant');
  await keys.go('#validate');
  await page.waitForSelector('.verdict');
  expect((await page.locator('.checks li').count()) >= 20, 'every check has a line');
  expect((await page.locator('.checks li.bad').count()) === 0, 'no check fails');

  const link = await pump(page, keys, base, 1);
  const original = page.frameLocator('iframe.original').locator('body');
  expect((await original.textContent()).includes('When can you deliver?'), 'the original is in its frame');
  await keys.go('#create-opportunity');
  expect(/\/opportunities\/OP/.test(page.url()), 'the opportunity has its page');
  const opportunity = new URL(page.url()).pathname;
  await keys.type('#value', '12500');
  await keys.go('button[value=first]');
  for (let stage = 0; stage < 3; stage += 1) await keys.go('button[value=next]');
  expect((await page.locator('.track .past').count()) === 3, 'three stages are past');
  expect((await page.inputValue('#code')) === '', 'nobody closes by mistake');
  await choose(keys, page, '#code', 'BEST-OFFER');
  await keys.type('#sold', '12000');
  await keys.go('button[value=close]');
  expect((await page.locator('.badge.good').count()) > 0, 'the opportunity is won');
  expect((await page.locator('.flash').textContent()).includes('Vallée Hydraulique'), 'its company is a customer now');
  expect((await page.locator('button[value=next]').count()) === 0, 'a won opportunity does not move');
  const sold = { en: '12,000.00', fr: '12\u202f000,00', de: '12.000,00' }[language];
  const hoped = { en: '12,500.00', fr: '12\u202f500,00', de: '12.500,00' }[language];
  expect((await page.textContent('#worth')) === sold, 'the page says what was sold');
  expect((await page.locator(`#mail-of a.subject[href="${link}"]`).count()) === 1, 'the opportunity leads to its mail');
  await page.goto(`${base}/opportunities?status=won`);
  expect((await page.locator('td.name').count()) === 1, 'the list shows what is won');
  const listed = await page.textContent('main');
  expect(listed.includes(sold) && !listed.includes(hoped), 'the list says what was sold');
  await page.goto(`${base}/contacts/C0101`);
  expect((await page.textContent('main')).includes(sold), 'the card says what was sold');

  // The other end: forward, back, refused, lost.
  await pump(page, keys, base, 2);
  await keys.go('#create-opportunity');
  const lost = new URL(page.url()).pathname;
  await keys.type('#value', '700');
  await keys.go('button[value=first]');
  await keys.go('button[value=next]');
  await keys.go('button[value=previous]');
  expect((await page.locator('.track .past').count()) === 0, 'it is at its first stage again');
  await choose(keys, page, '#code', 'BEST-OFFER');
  await keys.go('button[value=close]');
  expect((await page.locator('[role=alert]').count()) === 1, 'a sale without a value is refused on the page');
  await choose(keys, page, '#code', 'PRICE');
  await keys.tick('#close-tasks');
  await keys.go('button[value=close]');
  expect((await page.locator('.badge.bad').count()) > 0, 'the opportunity is lost');
  expect(/^0[.,]00$/.test(await page.textContent('#worth')), 'what is lost brought nothing');
  expect((await page.locator('button[value=task]').count()) === 0, 'its tasks are cancelled');
  return { presses: keys.presses, entry: link, opportunity, lost };
}

// Switches logging off by keyboard.
export async function off(page, base, expect) {
  const keys = new Keyboard(page);
  await page.goto(`${base}/settings`);
  await keys.go('#switch', 'Space');
  expect((await page.getAttribute('#switch', 'aria-checked')) === 'false', 'logging is off at the end');
}
