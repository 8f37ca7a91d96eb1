import { knowOwnTest } from './own-test.ts';

knowOwnTest();
