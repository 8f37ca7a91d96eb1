import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Sha256 } from './sha256.ts';

/** A new secret of 256 random bits, in letters, digits, `-` and `_`. */
export const makeSecret = (): string => randomBytes(32).toString('base64url');

/** The sha256 of a secret in hexadecimal digits. Only this digest is stored. */
export const digestOf = (secret: string): Sha256 => createHash('sha256').update(secret).digest('hex') as Sha256;

/** Compares two digests in constant time. */
export const isSameDigest = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
