import { readFileSync } from 'node:fs';
import type { RunningSkulk } from './spawn-skulk.ts';

/** The most that a process has had resident, in bytes; 0 where the system does not tell. */
export function peakMemoryOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Looks at a process until it ends. @returns the most that it was seen to have resident, in bytes */
export async function peakUntilEnd({ pid, exited }: RunningSkulk): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakMemoryOf(pid));
  }, 10);
  await exited;
  clearInterval(timer);
  return peak;
}
