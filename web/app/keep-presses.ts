/** A pointer that moves less than this, in pixels, is still at its place. */
const still = 4;

/** What a press can act on. */
const pressable = 'button, a[href], summary';

/**
 * Makes a press count for what was under the pointer when it began. News from the server may move the page before the press ends; then the
 * browser clicks what contains both places, and nothing happens, or a menu closes.
 */
export function keepPresses(): void {
  let began: { readonly on: HTMLElement; readonly x: number; readonly y: number } | undefined;
  const forget = (): void => {
    began = undefined;
  };
  const begin = ({ target, button, clientX: x, clientY: y }: PointerEvent): void => {
    const on = button === 0 && target instanceof Element ? target.closest<HTMLElement>(pressable) : null;
    began = on === null ? undefined : { on, x, y };
  };
  const end = (event: MouseEvent): void => {
    const press = began;
    forget();
    if (!event.isTrusted || press === undefined || !press.on.isConnected) return;
    // Of a link, the browser alone opens a new tab.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target instanceof Node && press.on.contains(event.target)) return;
    if (Math.hypot(event.clientX - press.x, event.clientY - press.y) > still) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    press.on.click();
  };
  addEventListener('pointerdown', begin, { capture: true });
  addEventListener('pointercancel', forget, { capture: true });
  addEventListener('keydown', forget, { capture: true });
  addEventListener('click', end, { capture: true });
}
