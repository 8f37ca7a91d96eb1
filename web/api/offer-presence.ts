/** The same rule as in the dashboard. The file imports no values, so the browser may use it. */
export { isDownloadOf, presenceOf } from '../../src/core/protocol/offer-presence.ts';
