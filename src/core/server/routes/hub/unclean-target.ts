import { HubRefusal } from '../../../endpoint/contract.ts';
import { RegistryRefusal } from '../../../endpoint/registry/refusal.ts';
import { isReserved } from '../../../endpoint/view/repo-ids.ts';

const ofHub = /^\/(?:api|datasets|spaces|kernels|buckets)(?:\/|$)/i;
const ofFile = /\/(?:resolve|raw|tree|blob)(?:\/|$)/i;

/**
 * A Hub's answer for an invalid target, with `..` or with bytes that are not text: there is no such model. Undefined for targets of other
 * routes. Pure.
 * @param target as received
 */
export function refuseUnclean(target: string): HubRefusal | RegistryRefusal | undefined {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '').replace(/\?.*$/s, '');
  const message = 'a path has a part that is "." or "..", or characters that no name has';
  if (/^\/v2(?:\/|$)/i.test(path)) return new RegistryRefusal('NAME_UNKNOWN', message);
  const [, first = ''] = path.split('/');
  if (ofHub.test(path) || (!isReserved(first) && ofFile.test(path))) return new HubRefusal('repoNotFound', message);
  return undefined;
}
