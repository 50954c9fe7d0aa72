// What holds for every page: nothing scrolls sideways, nothing is cut, nothing overlaps, and the accessibility checker finds
// nothing serious. Each page is photographed at two widths.

import fs from 'node:fs';
import path from 'node:path';

const WIDTHS = [1280, 390];
// Between them, and at a zoom of 200 % and more, nothing is photographed and all else holds.
const OTHERS = [1024, 768, 640, 320];

export class Pages {
  constructor({ axe, shots, report }) {
    Object.assign(this, { axe, shots, report });
    fs.mkdirSync(shots, { recursive: true });
  }

  // Looks at the page that is open, at both widths.
  async look(page, name, language, scheme = 'light') {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const where = `${name} ${language} ${width} ${scheme}`;
      for (const problem of await page.evaluate(layout)) this.problem(`${where}: ${problem}`);
      // A frame out of sight is not painted: the window is as high as the page for as long as it is photographed.
      const framed = await page.locator('iframe').count();
      if (framed) {
        const height = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.setViewportSize({ width, height: Math.max(900, height) });
        if (!(await this.painted(page))) this.problem(`${where}: the frame is empty`);
      }
      const file = `${name}-${language}-${width}${scheme === 'dark' ? '-dark' : ''}.jpg`;
      await page.screenshot({ path: path.join(this.shots, file), fullPage: true, type: 'jpeg', quality: 75 });
      this.report.screenshots += 1;
      if (framed) await page.setViewportSize({ width, height: 900 });
      await this.accessible(page, where);
    }
    for (const width of OTHERS) {
      await page.setViewportSize({ width, height: 900 });
      for (const problem of await page.evaluate(layout)) this.problem(`${name} ${language} ${width}: ${problem}`);
    }
    await page.setViewportSize({ width: WIDTHS[0], height: 900 });
  }

  // Whether a frame shows something: its area is not of one colour.
  async painted(page) {
    const box = await page.locator('iframe').first().boundingBox();
    const clip = { x: box.x + 4, y: box.y + 4, width: box.width - 8, height: box.height - 8 };
    for (let tries = 0; tries < 30; tries += 1) {
      const picture = await page.screenshot({ clip, type: 'png' });
      const varied = await page.evaluate(async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        pen.drawImage(bitmap, 0, 0);
        const all = new Uint32Array(pen.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
        return all.some((one) => one !== all[0]);
      }, picture.toString('base64'));
      if (varied) return true;
      await page.waitForTimeout(100);
    }
    return false;
  }

  async accessible(page, where) {
    await page.evaluate(this.axe);
    const violations = await page.evaluate(async () => {
      const options = { iframes: false, resultTypes: ['violations'] };
      const found = await window.axe.run(document, options);
      return found.violations.map(({ id, impact, nodes }) => ({ id, impact, html: nodes[0].html }));
    });
    this.report.accessibility += 1;
    for (const { id, impact, html } of violations) {
      if (impact === 'serious' || impact === 'critical') {
        this.problem(`${where}: axe ${impact} ${id}: ${html.slice(0, 160)}`);
      }
    }
  }

  // The document of a frame by itself: nobody can run a checker inside of the sandbox.
  async frame(page, name, language) {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: path.join(this.shots, `${name}-${language}-${width}.jpg`), fullPage: true, type: 'jpeg', quality: 75 });
      this.report.screenshots += 1;
    }
    await this.accessible(page, `${name} ${language}`);
  }

  problem(text) {
    this.report.problems.push(text);
  }
}

// Runs in the page.
function layout() {
  const problems = [];
  const name = (one) => `<${one.tagName.toLowerCase()} class="${one.className}"> ${(one.textContent || '').trim().slice(0, 40)}`;
  const root = document.documentElement;
  const over = root.scrollWidth - root.clientWidth;
  if (over > 0) problems.push(`the page scrolls sideways by ${over}`);
  const shown = (one) =>
    one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) &&
    !one.closest('.hidden, .skip') && one.getClientRects().length > 0 &&
    // A table that is shown as cards keeps its head for those who listen.
    !(one.closest('thead') && getComputedStyle(one.closest('thead')).clipPath !== 'none');
  for (const one of document.querySelectorAll('body *')) {
    if (!shown(one) || one.matches('svg, svg *, iframe, option')) continue;
    const right = Math.max(...[...one.getClientRects()].map((rect) => rect.right));
    if (right > root.clientWidth + 1) problems.push(`beyond the edge by ${Math.round(right - root.clientWidth)}: ${name(one)}`);
    if (one.matches('select')) {
      const style = getComputedStyle(one);
      const pen = document.createElement('canvas').getContext('2d');
      pen.font = style.font;
      const words = one.selectedOptions.length ? one.selectedOptions[0].text : '';
      const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 16;
      // Of a choice as long as that the beginning is enough.
      if (words.length < 60 && pen.measureText(words).width > room) problems.push(`cut in its box: ${words}`);
    }
    if (one.matches('input')) continue;
    const style = getComputedStyle(one);
    if (style.display === 'inline' || style.display === 'contents') continue;
    if (style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none') continue;
    if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0) {
      problems.push(`cut by ${one.scrollWidth - one.clientWidth}: ${name(one)}`);
    }
    const clipped = style.overflowY === 'hidden' && one.scrollHeight > one.clientHeight + 1;
    if (clipped && one.clientHeight > 0) problems.push(`cut below: ${name(one)}`);
  }
  const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, iframe')];
  const boxes = all.filter(shown).map((one) => ({ one, rects: [...one.getClientRects()] }));
  for (let a = 0; a < boxes.length; a += 1) {
    for (let b = a + 1; b < boxes.length; b += 1) {
      if (boxes[a].one.contains(boxes[b].one) || boxes[b].one.contains(boxes[a].one)) continue;
      const meet = boxes[a].rects.some((x) => boxes[b].rects.some((y) =>
        Math.min(x.right, y.right) - Math.max(x.left, y.left) > 1 &&
        Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top) > 4));
      if (meet) problems.push(`overlap: ${name(boxes[a].one)} and ${name(boxes[b].one)}`);
    }
  }
  return problems;
}
