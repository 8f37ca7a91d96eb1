import { defineCommand } from '../cli/definition.ts';
import { formatBytes } from '../core/kernel/units.ts';

/** `skulk health`: check that the store is reachable, and show its disk space. */
export const health = defineCommand({
  name: 'health',
  summary: 'check that the store is configured and reachable, and show free space',
  description: [
    'Shows the state of the store. The exit status is 4 if no store is configured or the store does not answer.',
    'A store that is closed to the LAN also answers without a token, with exit status 0. The line `access` then says that other commands are refused. In --json this is `requires_token`.',
    'The line `configured` says `no` if no setting names the store, and it was found by mDNS or on this machine. If mDNS found the address of the store, even if its name is configured, `location` shows that address; in --json it is `mdns_address`.',
    'The line `disk` is about the whole disk of the store: used space includes files that are not models. Free space is what skulk may use; some file systems reserve the rest.',
    'On the store host, a path instead of a URL means that no server is running and the command read the disk itself.',
  ],
  examples: [
    ['check the configured store', 'skulk health'],
    ['check another store', 'skulk health --store http://192.168.1.10:58080'],
  ],
  exits: ['store-unreachable'],
  run: async (_, context) => {
    const deps = await context.deps();
    const { examineStore } = await import('../core/operations/store/check-health.ts');
    return examineStore(deps);
  },
  text: ({ health: report, foundBy, accessHint }) =>
    [
      `configured  ${foundBy === undefined ? 'yes' : foundBy === 'mDNS' ? 'no, found by mDNS' : 'no, found on this machine'}`,
      `reachable   ${!report.reachable ? 'no' : report.location.startsWith('/') ? 'on this disk only: no server is running' : 'yes'}`,
      `location    ${report.location}${report.mdns_address === null || foundBy === 'mDNS' ? '' : `, found by mDNS at ${report.mdns_address}`}`,
      ...(report.store_path === null || report.store_path === undefined ? [] : [`store path  ${report.store_path}`]),
      ...(typeof report.free_bytes === 'number' && typeof report.total_bytes === 'number'
        ? [
            `disk        ${formatBytes(report.free_bytes)} free of ${formatBytes(report.total_bytes)}${
              typeof report.used_bytes === 'number' ? `, ${formatBytes(report.used_bytes)} used` : ''
            }`,
          ]
        : []),
      ...(typeof report.models === 'number' ? [`models      ${report.models}`] : []),
      ...(report.version === '' ? ['program     the Python Skulk'] : []),
      ...(report.hostname === null || report.hostname === undefined || report.version === ''
        ? []
        : [`host        ${report.hostname} (skulk ${report.version ?? 'unknown'})`]),
      ...(report.requires_token
        ? [`access      needs a token, and commands without one are refused: ${accessHint ?? 'set SKULK_TOKEN'}`]
        : []),
      ...(report.upstream ? [`upstream    ${report.upstream}: missing models come from there`] : []),
      ...(report.advertised ? [`advertised  ${report.advertised.url}: ${report.advertised.because}`] : []),
    ].map((line) => ({ line: [line], indent: 12 })),
  json: ({ health: report }) => report,
});
