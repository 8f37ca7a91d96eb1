import type { Page } from 'playwright-core';

/** A request of a page whose answer is held back: the server has done the work, and the page does not know it yet. */
export interface HeldAnswer {
  /** Resolves when the server has answered. */
  readonly answered: Promise<void>;
  /** Gives the answer to the page. */
  release(): void;
}

/** Holds the answer of the next request with this method, and this path with its query. */
export async function holdAnswer(page: Page, method: string, path: string): Promise<HeldAnswer> {
  const answered = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const isPath = (url: URL): boolean => url.pathname + url.search === path;
  let isHeld = false;
  await page.route(isPath, async (route) => {
    if (isHeld || route.request().method() !== method) return route.fallback();
    isHeld = true;
    const response = await route.fetch();
    answered.resolve();
    await released.promise;
    await route.fulfill({ response });
    await page.unroute(isPath);
  });
  return { answered: answered.promise, release: released.resolve };
}
