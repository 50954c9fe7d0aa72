// Cross-site scripting: every page that shows a hostile mail is opened, and nothing of it may run or ask for anything.

// What tells that a vector ran or asked for something.
export async function watch(context, base) {
  const seen = { ran: [], foreign: [] };
  await context.exposeBinding('hit', ({ frame }) => { seen.ran.push(`hit on ${frame.url()}`); });
  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (url.startsWith(`${base}/`) || url.startsWith('data:') || url.startsWith('about:')) return route.continue();
    seen.foreign.push(url.slice(0, 120));
    return route.abort();
  });
  context.on('page', (page) => {
    page.on('dialog', (dialog) => { seen.ran.push(`dialog on ${page.url()}`); dialog.dismiss(); });
    page.on('console', (message) => {
      // A policy that has to stop something means that the cleaning let it through.
      if (/refused|violates|blocked script/i.test(message.text())) seen.ran.push(`${message.text().slice(0, 160)} on ${page.url()}`);
    });
    page.on('popup', (popup) => seen.ran.push(`popup ${popup.url()}`));
  });
  return seen;
}

// The hooks see what they have to see: a page without any cleaning.
export async function control(browser, base) {
  const context = await browser.newContext();
  const seen = await watch(context, base);
  const page = await context.newPage();
  await page.setContent('<img src=x onerror=hit(1)><img src="https://xss.invalid/a.png"><p>');
  await page.waitForTimeout(300);
  await context.close();
  return seen.ran.length > 0 && seen.foreign.length > 0;
}

async function links(page, address, selector) {
  await page.goto(address);
  const found = [];
  for (;;) {
    found.push(...await page.$$eval(selector, (all) => all.map((one) => one.getAttribute('href'))));
    const next = page.locator('a[rel=next]');
    if (!(await next.count())) return found;
    await page.goto(new URL(await next.getAttribute('href'), address).href);
  }
}

// Carries hostile texts on: into opportunities, comments, names of contacts and notes. Answers the pages that show them.
async function spread(context, base, entries, texts) {
  const page = await context.newPage();
  await page.goto(`${base}/mails`);
  const token = await page.getAttribute('input[name=token]', 'value');
  const post = async (address, fields) => {
    return context.request.post(`${base}${address}`, { form: { token, ...fields }, maxRedirects: 0 });
  };
  const made = [];
  for (let at = 0; at < texts.length; at += 1) {
    const entry = entries[at];
    const answer = await post(`${entry}/opportunity`, {});
    if (answer.status() !== 303) throw new Error(`no opportunity: ${answer.status()}`);
    const opportunity = answer.headers().location;
    const said = await post(opportunity, { version: '1', action: 'comment', text: texts[at] });
    if (said.status() !== 303) throw new Error(`no comment: ${said.status()}`);
    await post(`${entry}/comment`, { text: texts[at] });
    const saved = await post('/contacts/C0102/edit', { name: texts[at], email: 'contact@vallee-hydraulique.example' });
    if (saved.status() === 303) for (const one of ['/contacts/C0102', '/contacts?q=C0102', '/contacts/C0102/edit']) await page.goto(`${base}${one}`);
    // A page that a form leads to: the name stands among those who are meant, and on the question.
    for (const into of ['C0102', 'vallée']) {
      await page.goto(`${base}/contacts/C0101/edit`);
      await page.fill('#into', into);
      await Promise.all([page.waitForNavigation(), page.click('#merge')]);
    }
    made.push(opportunity);
  }
  made.push(...await links(page, `${base}/opportunities`, 'td.name a.subject'), '/opportunities');
  await page.close();
  return made;
}

export async function sweep(browser, plan, base, expect) {
  const context = await browser.newContext({ locale: 'en-GB' });
  const seen = await watch(context, base);
  const page = await context.newPage();
  const entries = await links(page, `${base}/mails`, '.mails a.subject');
  const items = await links(page, `${base}/review`, '.mails a.subject');
  const made = await spread(context, base, entries, plan.texts);
  const asked = plan.texts.flatMap((text) => ['/never-log?rule=', '/why?q=', '/mails?q=', '/contacts?q=', '/privacy?contact='].map((path) => path + encodeURIComponent(text)));
  const others = ['/', '/contacts', '/contacts/C0101', '/contacts/C0101/entries', '/contacts/C0102', '/mails', '/review', '/review?excluded=yes', '/activity', '/why?q=vector', '/privacy', ...made];
  const all = [...entries, ...items, ...others];
  let left = all.slice();
  const walk = async () => {
    const own = await context.newPage();
    while (left.length) await own.goto(`${base}${left.pop()}`, { waitUntil: 'load' });
    await own.close();
  };
  await Promise.all([walk(), walk(), walk()]);
  await context.close();

  // The cleaning alone, without the policy that would stop what it let through.
  const bare = await browser.newContext({ bypassCSP: true });
  const alone = await watch(bare, base);
  const originals = entries.map((entry) => `${entry}/original`);
  const own = await bare.newPage();
  await own.goto(`${base}/style.css`);
  while (originals.length) {
    // Several at a time, as frames of one page; every element is touched.
    const bad = await own.evaluate(async (batch) => {
      document.body.replaceChildren();
      const bad = [];
      await Promise.all(batch.map((source) => new Promise((loaded) => {
        const frame = document.createElement('iframe');
        frame.onload = () => {
          frame.contentDocument.querySelectorAll('a, area, base, form').forEach((one) => {
            const scheme = one.href ? new URL(one.href, 'https://none.invalid/').protocol : 'none';
            if (!['http:', 'https:', 'mailto:', 'tel:', 'none'].includes(scheme)) bad.push(`${scheme} in ${source}`);
          });
          frame.contentDocument.querySelectorAll('*').forEach((one) => {
            for (const kind of ['mouseover', 'focus', 'toggle', 'load', 'error']) one.dispatchEvent(new Event(kind));
          });
          loaded();
        };
        frame.src = source;
        document.body.append(frame);
      })));
      return bad;
    }, originals.splice(0, 20));
    for (const one of bad) expect(false, `a link that could run: ${one}`);
  }
  // So are the pages: what they show of a mail is a text, with or without a policy.
  await own.close();
  left = [...entries.slice(0, 80), ...items, ...others, ...asked];
  const again = async () => {
    const tab = await bare.newPage();
    while (left.length) await tab.goto(`${base}${left.pop()}`, { waitUntil: 'load' });
    await tab.close();
  };
  await Promise.all([again(), again(), again()]);
  // Files are handed out, and never opened.
  for (const entry of entries.slice(0, 80)) {
    const file = await bare.request.get(`${base}${entry}/attachments/0`);
    const headers = file.headers();
    expect(file.status() === 200 && headers['content-type'] === 'application/octet-stream' && headers['content-disposition'].startsWith('attachment'), `a file of ${entry}`);
  }
  await bare.close();
  const ran = [...seen.ran, ...alone.ran];
  const foreign = [...seen.foreign, ...alone.foreign];
  for (const one of ran.slice(0, 20)) expect(false, `a vector ran: ${one}`);
  for (const one of foreign.slice(0, 20)) expect(false, `a request left the host: ${one}`);
  return { entries: new Set(entries).size, items: new Set(items).size, ran: ran.length, foreign: foreign.length };
}
