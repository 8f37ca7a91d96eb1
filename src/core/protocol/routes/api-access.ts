import { codeBody, endedSession, madeToken, namedToken, pageCode, pageKey, session, tokenBody, tokenList } from '../access.ts';
import { changedPolicy, policyBody, policyView } from '../settings.ts';
import type { Routes } from './route.ts';

/** The routes about the client's own session, on every server. */
export const sessionRoutes = {
  'GET /session': { role: 'read', summary: 'The role of the caller', answers: { 200: session }, failures: [401] },
  'POST /session': {
    role: 'open',
    summary: 'Exchange the one-time code of a link for the key of a page',
    body: codeBody,
    answers: { 200: pageKey },
    failures: [400, 401, 403, 429],
  },
  'DELETE /session': { role: 'read', summary: 'End the key of this page', answers: { 200: endedSession }, failures: [400, 401, 403, 429] },
  'POST /session/codes': {
    role: 'admin',
    summary: 'Create a code for a link that opens the page with the role admin',
    answers: { 200: pageCode },
    failures: [400, 401, 403, 429],
  },
} as const satisfies Routes;

/** The named tokens and the policy of a store, on both ports of its host. */
export const administrationRoutes = {
  'GET /tokens': {
    role: 'admin',
    summary: 'The named tokens, without the tokens themselves',
    answers: { 200: tokenList },
    failures: [400, 401, 403],
  },
  'POST /tokens': {
    role: 'admin',
    summary: 'Create a named token; it is shown only once',
    body: tokenBody,
    answers: { 200: madeToken },
    failures: [400, 401, 403, 409],
  },
  'DELETE /tokens/:name': { role: 'admin', summary: 'Revoke a named token', answers: { 200: namedToken }, failures: [400, 401, 403, 404] },
  'GET /policy': { role: 'read', summary: 'The policy of the store', answers: { 200: policyView }, failures: [400, 401, 403] },
  'PUT /policy': {
    role: 'admin',
    summary: 'Change the policy; absent keys stay, null restores the default',
    body: policyBody,
    answers: { 200: changedPolicy },
    failures: [400, 401, 403],
  },
} as const satisfies Routes;
