/** The request of a route by its name in the table of routes. The compiler knows every name; the table itself is not loaded. */
export { callOf, type RouteCall } from '../../src/core/protocol/routes/call.ts';
