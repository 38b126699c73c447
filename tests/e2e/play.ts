// Two people who play `tests/projects/lab-games`, session config `bargain`, to its last page.

import type { Page } from 'playwright-core';

/** The button is there before the script that it needs, and whoever does not listen yet is told nothing. */
async function ready(page: Page): Promise<void> {
  await page.locator('#offer').waitFor();
  await page.waitForFunction('window.liveSocket?.readyState === WebSocket.OPEN');
}

/** Two rounds of bargaining over the live page, then the survey. @param between happens when the first round is over */
export async function playBargain(one: Page, two: Page, between?: () => Promise<void>): Promise<void> {
  for (let round = 1; round <= 2; round += 1) {
    await Promise.all([one, two].map(ready));
    // Who is player 1 may change from round to round; any offer may be accepted by the other.
    await one.locator('#share').fill('40');
    await one.locator('#offer').click();
    await two.locator('#accept:not([disabled])').click();
    for (const page of [one, two]) {
      await page.getByText('You agreed').waitFor();
      await page.locator('.otree-btn-next').click();
    }
    if (round === 1 && between !== undefined) {
      await Promise.all([one, two].map(ready));
      await between();
    }
  }
  for (const page of [one, two]) {
    await page.locator('[name=age]').fill('30');
    await page.locator('[name=mood]').first().check();
    await page.locator('.otree-btn-next').click();
  }
}
