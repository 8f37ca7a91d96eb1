import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { patienceMs } from '../helpers/waiting.ts';
import { chromiumPath } from '../helpers/wants.ts';

/** How a page is looked at. */
export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

let browser: Promise<Browser> | undefined;

/** The browser of all files of tests that run in this process; it ends with the process. */
async function sharedBrowser(): Promise<Browser> {
  if ((await browser)?.isConnected() === false) browser = undefined;
  browser ??= chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return browser;
}

/** What is a browser of its own to the running test, with a page that complains about nothing. */
export async function openBrowser({ colorScheme = 'light', width = 1280, height = 800 }: PageOptions = {}): Promise<{
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page's console said and what failed in it, as far as it was not foreseen. */
  readonly complaints: string[];
  /** Another page of the same browser, as a new tab is. */
  readonly newTab: () => Promise<Page>;
}> {
  const context = await (await sharedBrowser()).newContext({ colorScheme, viewport: { width, height } });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(patienceMs);
  const complaints: string[] = [];
  const watch = (page: Page): Page => {
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      // Chromium writes a line for every answer that is not good and for every connection that is lost; the page tells of those itself.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    return page;
  };
  const page = watch(await context.newPage());
  onTestFinished(() => expect(complaints).toEqual([]));
  return { context, page, complaints, newTab: async () => watch(await context.newPage()) };
}
