export { activityVerbs, nameAsker, objectOfActivity, resultOfActivity } from '../../src/core/protocol/describe/activity.ts';
