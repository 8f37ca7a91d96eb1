import './same-bytes.ts';
import { knowOwnTest } from './own-test.ts';

if (process.env['SKULK_TEST_DELAY'] !== undefined) await import(new URL('delays.mjs', import.meta.url).href);
knowOwnTest();
