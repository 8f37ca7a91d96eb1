/**
 * `node hold-mapped.js FILE`: maps a file as llama.cpp does, closes it, and answers each line of its standard input with the sha256 of
 * the mapped bytes. A mapped file that is cut short ends it with SIGBUS.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import koffi from 'koffi';

const library = koffi.load(process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6');
const map = library.func('void *mmap(void *at, size_t length, int protection, int flags, int file, int64 offset)');
const [readable, shared] = [1, 1];
const file = openSync(process.argv[2] ?? '', 'r');
const { size } = fstatSync(file);
const mapped = map(null, size, readable, shared, file, 0);
closeSync(file);
const bytes = new Uint8Array(koffi.view(mapped, size));
const answer = () => process.stdout.write(`${createHash('sha256').update(bytes).digest('hex')}\n`);
answer();
for await (const _ of createInterface({ input: process.stdin })) answer();
