/** The server's clock: this machine's may be wrong by hours, and how fast it goes is all that is used of it. */
let atServer = 0;
let atHere = 0;

/** The server has just said what time it is. */
export function set(iso) {
  atServer = Date.parse(iso);
  atHere = performance.now();
}

export const now = () => atServer + performance.now() - atHere;

/** Whole seconds since a moment of the server's, and until one; never less than none. */
export const since = (iso) => Math.max(0, Math.floor((now() - Date.parse(iso)) / 1000));
export const until = (iso) => Math.max(0, Math.ceil((Date.parse(iso) - now()) / 1000));

/** `3:07`, `1:03:07`. */
export function span(seconds) {
  const two = (part) => String(part).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}
