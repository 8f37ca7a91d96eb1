// Loaded before a test, or before skulk: delays what arrives from elsewhere, at random, so that a test or a program that expects an order of
// two channels fails. SKULK_TEST_DELAY names the delayed channels, with commas: `connections` before a server reads them, `answers` after it has
// done the work, `events` of a stream, `files` before or after an operation on the disk, `exits` of child processes. SKULK_TEST_SEED repeats it.
import { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

const channels = new Set((process.env.SKULK_TEST_DELAY ?? '').split(','));
const later = globalThis.setTimeout;
let state = Number(process.env.SKULK_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const random = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
/** Milliseconds: none as often as some, so that later news overtakes earlier news. */
const delay = (chance = 0.5, longest = 500) => (random() < chance ? Math.ceil(random() * longest) : 0);
const pause = (ms) => new Promise((resolve) => later(resolve, ms));

function delayWrites(socket) {
  if (socket.delayedAnswer !== undefined) return;
  for (const name of ['_write', '_writev']) {
    const original = socket[name];
    socket[name] = (...args) => {
      const answer = socket.delayedAnswer;
      const isFirst = !answer.hasBegun;
      answer.hasBegun = true;
      const isEvent = !isFirst && /text\/event-stream|ndjson/i.test(answer.response._header ?? '');
      const ms = channels.has(isFirst ? 'answers' : isEvent ? 'events' : '') ? delay() : 0;
      const go = () => (socket.destroyed ? args.at(-1)() : original.apply(socket, args));
      if (ms === 0) go();
      else later(go, ms);
    };
  }
}

function delayServers() {
  const emit = http.Server.prototype.emit;
  http.Server.prototype.emit = function (name, ...args) {
    if (name === 'request') {
      delayWrites(args[0].socket);
      args[0].socket.delayedAnswer = { response: args[1], hasBegun: false };
    }
    const ms = name === 'connection' && channels.has('connections') ? delay() : 0;
    if (ms === 0) return emit.call(this, name, ...args);
    later(() => emit.call(this, name, ...args), ms);
    return true;
  };
}

function delayFiles() {
  const around = (original) =>
    async function (...args) {
      const ms = delay(0.15, 150);
      const isBefore = random() < 0.5;
      if (ms > 0 && isBefore) await pause(ms);
      try {
        return await original.apply(this, args);
      } finally {
        if (ms > 0 && !isBefore) await pause(ms);
      }
    };
  const names = ['rename', 'link', 'rm', 'rmdir', 'mkdir', 'writeFile', 'copyFile', 'readFile', 'readdir', 'stat', 'unlink', 'open'];
  for (const name of names) fs.promises[name] = around(fs.promises[name]);
  syncBuiltinESMExports();
}

function delayExits() {
  const emit = ChildProcess.prototype.emit;
  ChildProcess.prototype.emit = function (name, ...args) {
    if (name !== 'exit' && name !== 'close') return emit.call(this, name, ...args);
    this.delayedEnd = (this.delayedEnd ?? Promise.resolve()).then(() => pause(delay())).then(() => emit.call(this, name, ...args));
    return true;
  };
}

if (globalThis.skulkTestDelays === undefined) {
  globalThis.skulkTestDelays = true;
  delayServers();
  if (channels.has('files')) delayFiles();
  if (channels.has('exits')) delayExits();
}
