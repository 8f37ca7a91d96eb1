/** The request of a route by its name in the table of routes, of which the compiler knows every one; of the table itself nothing is loaded. */
export { callOf, type RouteCall } from '../../src/core/protocol/routes/call.ts';
