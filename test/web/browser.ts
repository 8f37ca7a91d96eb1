import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { patienceMs } from '../helpers/waiting.ts';
import { chromiumPath } from '../helpers/wants.ts';

/** The options of a page in a test. */
export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

let browser: Promise<Browser> | undefined;

/** The browser of all test files in this process; it ends with the process. */
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

/** A separate browser context for the running test, with a page that reports no errors. */
export async function openBrowser({ colorScheme = 'light', width = 1280, height = 800 }: PageOptions = {}): Promise<{
  readonly context: BrowserContext;
  readonly page: Page;
  /** The console output and failed requests of the page, except expected ones. */
  readonly complaints: string[];
  /** Another page of the same browser, like a new tab. */
  readonly newTab: () => Promise<Page>;
}> {
  const context = await (await sharedBrowser()).newContext({ colorScheme, viewport: { width, height } });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(patienceMs);
  const complaints: string[] = [];
  const watch = (page: Page): Page => {
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      // Chromium writes a line for every error answer and for every lost connection; the page reports those itself.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    return page;
  };
  const page = watch(await context.newPage());
  onTestFinished(() => expect(complaints).toEqual([]));
  return { context, page, complaints, newTab: async () => watch(await context.newPage()) };
}
