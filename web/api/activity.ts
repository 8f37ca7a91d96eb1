export { activityVerbs, nameAsker, objectOfActivity } from '../../src/core/protocol/describe/activity.ts';
