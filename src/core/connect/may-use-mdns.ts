import type { Deps } from './deps.ts';

const isOn = (text: string | undefined): boolean => /^(1|true|yes|on)$/i.test(text ?? '');

/** Whether to search for a store if none is configured: `SKULK_NO_DISCOVERY` disables it. */
export const mayDiscover = ({ world }: Pick<Deps, 'world'>): boolean => !isOn(world.env['SKULK_NO_DISCOVERY']);

/** Whether this machine may use mDNS: `SKULK_NO_MDNS` disables it. */
export const mayUseMdns = (deps: Pick<Deps, 'world'>): boolean => mayDiscover(deps) && !isOn(deps.world.env['SKULK_NO_MDNS']);
