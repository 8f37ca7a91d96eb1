const shell = '/bin/sh';

/**
 * Ends this process with a status. A lookup of a name that has no answer yet occupies a thread, and Node waits for its threads when it
 * exits (10 s with a name server that is off). Only another program in the same process ends without them.
 */
export function endProcess(status: number): never {
  const { execve, platform } = process;
  const { existsSync } = process.getBuiltinModule('node:fs');
  if (
    process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap') &&
    execve !== undefined &&
    platform !== 'win32' &&
    existsSync(shell)
  ) {
    process.emit('exit', status);
    execve.call(process, shell, [shell, '-c', `exit ${status}`], process.env as Record<string, string>);
  }
  process.exit(status);
}
