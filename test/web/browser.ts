import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { patienceMs } from '../helpers/waiting.ts';
import { chromiumPath } from '../helpers/wants.ts';

/** The options of a page in a test. */
export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** Whether the test changes what every page begins with, as its clock, so that the tab is of no use to others. */
  readonly isOwn?: boolean;
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

interface Tab {
  readonly context: BrowserContext;
  readonly page: Page;
}

let shared: Tab | undefined;

/** How long the page shows messages and the word "Copied", in milliseconds. No other timer of the page has one of these durations. */
const shownMs = [6_000, 3_000];

/** Keeps messages ten times as long, because a busy machine may look for one after more than six seconds. */
function keepMessages(durations: readonly number[]): void {
  const { setTimeout: start } = globalThis;
  const keep = (act: () => void, ms = 0): unknown => start(act, durations.includes(ms) ? ms * 10 : ms);
  globalThis.setTimeout = keep as typeof setTimeout;
}

async function newTabOf(browser: Browser): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(patienceMs);
  await context.addInitScript(keepMessages, shownMs);
  return { context, page: await context.newPage() };
}

/** Resets a tab. Its origin is not used again: each server of the tests has its own port. */
async function emptyTab({ context, page }: Tab): Promise<void> {
  for (const other of context.pages()) if (other !== page) await other.close();
  page.removeAllListeners();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  if (page.url().startsWith('http')) await page.evaluate('localStorage.clear(); sessionStorage.clear()');
  // Where it was is a list in the next test, and a list under the pointer takes in no new models.
  await page.mouse.move(0, 0);
  await page.goto('about:blank');
  await context.clearCookies();
}

/**
 * A browser tab for the running test, with a page that reports no errors. It is the tab of the previous test, which costs a third of a new
 * one, unless that test failed.
 */
export async function openBrowser({ colorScheme = 'light', width = 1280, height = 800, isOwn = false }: PageOptions = {}): Promise<{
  readonly context: BrowserContext;
  readonly page: Page;
  /** The console output and failed requests of the page, except expected ones. */
  readonly complaints: string[];
  /** Another page of the same browser, like a new tab. */
  readonly newTab: () => Promise<Page>;
}> {
  const browser = await sharedBrowser();
  const tab = !isOwn && shared?.context.browser() === browser ? shared : await newTabOf(browser);
  shared = undefined;
  onTestFinished(async ({ task }) => {
    if (isOwn || task.result?.state === 'fail') return tab.context.close();
    await emptyTab(tab);
    shared = tab;
  });
  const complaints: string[] = [];
  const watch = async (page: Page): Promise<Page> => {
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      // Chromium writes a line for every error answer and for every lost connection; the page reports those itself.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    await page.emulateMedia({ colorScheme, reducedMotion: null });
    await page.setViewportSize({ width, height });
    return page;
  };
  const page = await watch(tab.page);
  onTestFinished(() => expect(complaints).toEqual([]));
  return { context: tab.context, page, complaints, newTab: async () => watch(await tab.context.newPage()) };
}
