import './same-bytes.ts';
import { knowOwnTest } from './own-test.ts';

knowOwnTest();
