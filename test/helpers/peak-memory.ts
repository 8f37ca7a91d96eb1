import { readFileSync } from 'node:fs';
import type { RunningSkulk } from './spawn-skulk.ts';

/** The maximum resident memory of a process, in bytes; 0 if the system does not report it. */
export function peakMemoryOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Observes a process until it ends. @returns the maximum observed resident memory, in bytes */
export async function peakUntilEnd({ pid, exited }: RunningSkulk): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakMemoryOf(pid));
  }, 10);
  await exited;
  clearInterval(timer);
  return peak;
}
