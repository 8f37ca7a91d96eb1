/**
 * A text of the server as a sentence. The server's text starts in lower case and has no full stop, because it follows the name of a program
 * on the command line. Pure.
 */
export function toSentence(text: string): string {
  // An id, a path or a command is not changed.
  const whole = /^(?:[\w-]+[/._]|[`/"])/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!…:]$/.test(whole) ? whole : `${whole}.`;
}
