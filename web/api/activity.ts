export {
  activityVerbs,
  jobNameOf,
  nameAsker,
  objectOfActivity,
  resultOfActivity,
  verbOfActivity,
} from '../../src/core/protocol/describe/activity.ts';
