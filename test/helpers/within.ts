/**
 * Waits for something that must come to its end; if it does not, the error names it and says what is known. A test that only
 * times out as a whole does not tell where it was.
 */
export async function within<T>(ms: number, what: string, work: Promise<T>, details: () => string = () => ''): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${ms / 1000} s\n${details()}`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
