const shell = '/bin/sh';

const afterSignal: ReadonlySet<number> = new Set([130, 143]);

/**
 * Ends this process with a status. Node waits for its threads when it exits: 10 s for the lookup of a name with a name server that is off,
 * and forever for a pipe without content or a lost network disk. Only another program in the same process ends without them. Work on the
 * disk is only left after a signal.
 */
export function endProcess(status: number): never {
  const { execve, platform } = process;
  const { existsSync } = process.getBuiltinModule('node:fs');
  if (
    process
      .getActiveResourcesInfo()
      .some((name) => name === 'GetAddrInfoReqWrap' || (afterSignal.has(status) && name.startsWith('FSReq'))) &&
    execve !== undefined &&
    platform !== 'win32' &&
    existsSync(shell)
  ) {
    process.emit('exit', status);
    // The shell would complain about a working directory that was removed.
    process.chdir('/');
    execve.call(process, shell, [shell, '-c', `exit ${status}`], process.env as Record<string, string>);
  }
  process.exit(status);
}
